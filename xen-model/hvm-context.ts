// SPDX-License-Identifier: Apache-2.0
// What Xen 4.17 asks of an HVM context before it takes it: hvm_load() in xen/arch/x86/hvm/save.c,
// hvm_load_cpu_ctxt() in hvm.c.

import {
  HVM_FILE_MAGIC,
  HVM_FILE_VERSION,
  HVM_SAVE_CODE_CPU,
  HVM_SAVE_CODE_END,
  HVM_SAVE_CODE_HEADER,
  HVM_SAVE_CODE_MTRR,
  hvm_hw_cpu_size,
  hvm_hw_mtrr_size,
  hvm_save_descriptor_instance_offset,
  hvm_save_descriptor_length_offset,
  hvm_save_descriptor_size,
  hvm_save_descriptor_typecode_offset,
  hvm_save_header_magic_offset,
  hvm_save_header_size,
  hvm_save_header_version_offset,
} from "../contract/xen-abi.js";

const recordSizes: Readonly<Record<number, number>> = {
  [HVM_SAVE_CODE_HEADER]: hvm_save_header_size,
  [HVM_SAVE_CODE_CPU]: hvm_hw_cpu_size,
  [HVM_SAVE_CODE_MTRR]: hvm_hw_mtrr_size,
};

/** Whether Xen takes the context for a domain with so many vCPUs that exist. */
export function contextIsValid(context: Uint8Array, vcpus: number): boolean {
  const view = new DataView(context.buffer, context.byteOffset, context.byteLength);
  let offset = 0;
  for (let record = 0; ; record++) {
    if (context.length - offset < hvm_save_descriptor_size) return false;
    const type = view.getUint16(offset + hvm_save_descriptor_typecode_offset, true);
    const instance = view.getUint16(offset + hvm_save_descriptor_instance_offset, true);
    const length = view.getUint32(offset + hvm_save_descriptor_length_offset, true);
    const body = offset + hvm_save_descriptor_size;
    if ((record === 0) !== (type === HVM_SAVE_CODE_HEADER)) return false;
    if (type === HVM_SAVE_CODE_END) return true;
    if (recordSizes[type] !== length || length > context.length - body) return false;
    if (type === HVM_SAVE_CODE_HEADER) {
      if (view.getUint32(body + hvm_save_header_magic_offset, true) !== HVM_FILE_MAGIC)
        return false;
      if (view.getUint32(body + hvm_save_header_version_offset, true) !== HVM_FILE_VERSION) {
        return false;
      }
    } else if (instance >= vcpus) return false;
    offset = body + length;
  }
}
