// SPDX-License-Identifier: Apache-2.0
// What Xen 4.17 asks of an HVM context before it takes it: hvm_load() in xen/arch/x86/hvm/save.c,
// hvm_load_cpu_ctxt() in hvm.c, svm_vmcb_restore() in svm/svm.c, hvm_load_mtrr_msr() in mtrr.c.
// Records of other devices than a launch sets are refused to the boot domain.

import {
  HVM_FILE_MAGIC,
  HVM_FILE_VERSION,
  HVM_SAVE_CODE_CPU,
  HVM_SAVE_CODE_END,
  HVM_SAVE_CODE_HEADER,
  HVM_SAVE_CODE_MTRR,
  hvm_hw_cpu_cr0_offset,
  hvm_hw_cpu_cr3_offset,
  hvm_hw_cpu_cr4_offset,
  hvm_hw_cpu_error_code_offset,
  hvm_hw_cpu_flags_offset,
  hvm_hw_cpu_msr_efer_offset,
  hvm_hw_cpu_msr_tsc_aux_offset,
  hvm_hw_cpu_pad0_offset,
  hvm_hw_cpu_pending_event_offset,
  hvm_hw_cpu_size,
  hvm_hw_mtrr_msr_mtrr_cap_offset,
  hvm_hw_mtrr_size,
  hvm_save_descriptor_instance_offset,
  hvm_save_descriptor_length_offset,
  hvm_save_descriptor_size,
  hvm_save_descriptor_typecode_offset,
  hvm_save_header_magic_offset,
  hvm_save_header_size,
  hvm_save_header_version_offset,
  XEN_EINVAL,
  XEN_ENODATA,
  XEN_EPERM,
} from "../../contract/xen-abi.js";

/** CR0's bits PE, MP, EM, TS, ET, NE, WP, AM, NW, CD, PG. */
const CR0_KNOWN = 0xe005003fn;
const CR0_PE = 0x1n;
const CR0_ET = 0x10n;
const CR0_PG = 0x80000000n;
/** CR4's bits that a guest may set whatever the CPU has: PCE, and what every 64-bit CPU has. */
const CR4_KNOWN = 0x7ffn;
/** EFER's bits SCE, LME, LMA, NXE; SVME only with nested virtualisation. */
const EFER_KNOWN = 0xd01n;
const EFER_LME = 0x100n;
const EFER_LMA = 0x400n;
/** Physical addresses have at least so many bits. */
const PHYSICAL_ADDRESS_BITS = 40n;
/** XEN_X86_FPU_INITIALISED. */
const FLAGS_KNOWN = 0x1;
/** Event types that can't be injected: 1, and all above 4 (the type is 3 bits from bit 8). */
const EVENT_VALID = 0x80000000;
const EVENT_ERROR = 0x800;
const EVENT_RESERVED = 0x7ffff000;
/** MTRR_VCNT: variable ranges that Xen emulates. */
const MOST_VARIABLE_RANGES = 8;

/** What Xen answers to the context of a domain with so many vCPUs: 0 or an errno. */
export function loadContext(context: Uint8Array, vcpus: number): number {
  const view = new DataView(context.buffer, context.byteOffset, context.byteLength);
  let offset = 0;
  for (let record = 0; ; record++) {
    if (context.length - offset < hvm_save_descriptor_size) return XEN_ENODATA;
    const type = view.getUint16(offset + hvm_save_descriptor_typecode_offset, true);
    const instance = view.getUint16(offset + hvm_save_descriptor_instance_offset, true);
    const length = view.getUint32(offset + hvm_save_descriptor_length_offset, true);
    const body = offset + hvm_save_descriptor_size;
    const fits = length <= context.length - body;
    if (record === 0) {
      if (type !== HVM_SAVE_CODE_HEADER || length !== hvm_save_header_size || !fits) {
        return XEN_ENODATA;
      }
      if (view.getUint32(body + hvm_save_header_magic_offset, true) !== HVM_FILE_MAGIC) {
        return XEN_EINVAL;
      }
      if (view.getUint32(body + hvm_save_header_version_offset, true) !== HVM_FILE_VERSION) {
        return XEN_EINVAL;
      }
    } else if (type === HVM_SAVE_CODE_END) return 0;
    else if (type !== HVM_SAVE_CODE_CPU && type !== HVM_SAVE_CODE_MTRR) return XEN_EPERM;
    else if (instance >= vcpus || !fits) return XEN_EINVAL;
    else if (type === HVM_SAVE_CODE_CPU) {
      // A shorter record is one of an older Xen: what it lacks is zero.
      if (length > hvm_hw_cpu_size) return XEN_EINVAL;
      const registers = new Uint8Array(hvm_hw_cpu_size);
      registers.set(context.subarray(body, body + length));
      if (!registersAreValid(new DataView(registers.buffer))) return XEN_EINVAL;
    } else {
      if (length !== hvm_hw_mtrr_size) return XEN_EINVAL;
      const capabilities = view.getUint8(body + hvm_hw_mtrr_msr_mtrr_cap_offset);
      if (capabilities > MOST_VARIABLE_RANGES) return XEN_EINVAL;
    }
    offset = body + length;
  }
}

function registersAreValid(registers: DataView): boolean {
  const u64 = (offset: number): bigint => registers.getBigUint64(offset, true);
  const u32 = (offset: number): number => registers.getUint32(offset, true);
  const cr0 = u64(hvm_hw_cpu_cr0_offset);
  const efer = u64(hvm_hw_cpu_msr_efer_offset);
  if (u32(hvm_hw_cpu_pad0_offset) !== 0) return false;
  if ((cr0 & ~CR0_KNOWN) !== 0n || (cr0 & CR0_ET) === 0n) return false;
  if ((cr0 & (CR0_PE | CR0_PG)) === CR0_PG) return false;
  if ((u64(hvm_hw_cpu_cr4_offset) & ~CR4_KNOWN) !== 0n) return false;
  if ((efer & ~EFER_KNOWN) !== 0n) return false;
  if ((efer & EFER_LMA) !== 0n && ((efer & EFER_LME) === 0n || (cr0 & CR0_PG) === 0n)) return false;
  if (u64(hvm_hw_cpu_cr3_offset) >> PHYSICAL_ADDRESS_BITS !== 0n) return false;
  if ((u32(hvm_hw_cpu_flags_offset) & ~FLAGS_KNOWN) !== 0) return false;
  if (u64(hvm_hw_cpu_msr_tsc_aux_offset) >> 32n !== 0n) return false;
  return eventIsValid(u32(hvm_hw_cpu_pending_event_offset), u32(hvm_hw_cpu_error_code_offset));
}

function eventIsValid(event: number, errorCode: number): boolean {
  if ((event & EVENT_VALID) === 0) return true;
  const type = (event >> 8) & 7;
  if (type === 1 || type > 4 || (event & EVENT_RESERVED) !== 0) return false;
  return (event & EVENT_ERROR) === 0 || errorCode <= 0xffff;
}
