// SPDX-License-Identifier: Apache-2.0
// Reads a PVH guest's start of day and its vCPU's context back. Any bytes are survived: what does
// not lie in the material is left out.

import {
  HVM_SAVE_CODE_CPU,
  hvm_hw_cpu_rbx_offset,
  hvm_hw_cpu_rip_offset,
  hvm_memmap_table_entry_addr_offset,
  hvm_memmap_table_entry_size,
  hvm_memmap_table_entry_size_offset,
  hvm_memmap_table_entry_type_offset,
  hvm_modlist_entry_paddr_offset,
  hvm_modlist_entry_size,
  hvm_save_descriptor_length_offset,
  hvm_save_descriptor_size,
  hvm_save_descriptor_typecode_offset,
  hvm_start_info_cmdline_paddr_offset,
  hvm_start_info_memmap_entries_offset,
  hvm_start_info_memmap_paddr_offset,
  hvm_start_info_modlist_paddr_offset,
  hvm_start_info_nr_modules_offset,
  hvm_start_info_rsdp_paddr_offset,
  hvm_start_info_size,
} from "../../contract/xen-abi.js";
import { readAcpi } from "./acpi.js";
import type { ReadContext, ReadStartOfDay } from "./guest-start.js";

/** Reads the start of day that a guest has at `address`. */
export function readStartOfDay(bytes: Uint8Array, address: number): ReadStartOfDay {
  if (bytes.length < hvm_start_info_size) {
    return { cmdline: undefined, memoryMap: [], ramdiskAddress: undefined };
  }
  const view = viewOf(bytes);
  const pointer = (offset: number) => Number(view.getBigUint64(offset, true)) - address;
  const cmdlineAt = pointer(hvm_start_info_cmdline_paddr_offset);
  const cmdlineEnd = cmdlineAt < 0 ? -1 : bytes.indexOf(0, cmdlineAt);
  const modulesAt = pointer(hvm_start_info_modlist_paddr_offset);
  const hasModule =
    view.getUint32(hvm_start_info_nr_modules_offset, true) > 0 &&
    modulesAt >= 0 &&
    modulesAt + hvm_modlist_entry_size <= bytes.length;
  const mapAt = pointer(hvm_start_info_memmap_paddr_offset);
  const room = Math.floor((bytes.length - mapAt) / hvm_memmap_table_entry_size);
  const entries = view.getUint32(hvm_start_info_memmap_entries_offset, true);
  const acpi = readAcpi(
    bytes,
    address,
    Number(view.getBigUint64(hvm_start_info_rsdp_paddr_offset, true)),
  );
  return {
    ...(acpi === undefined ? {} : { acpi }),
    cmdline:
      cmdlineEnd < 0 ? undefined : Buffer.from(bytes.subarray(cmdlineAt, cmdlineEnd)).toString(),
    ramdiskAddress: hasModule
      ? Number(view.getBigUint64(modulesAt + hvm_modlist_entry_paddr_offset, true))
      : undefined,
    memoryMap: Array.from(
      { length: mapAt < 0 ? 0 : Math.max(0, Math.min(entries, room)) },
      (_, index) => {
        const at = mapAt + index * hvm_memmap_table_entry_size;
        return {
          address: Number(view.getBigUint64(at + hvm_memmap_table_entry_addr_offset, true)),
          bytes: Number(view.getBigUint64(at + hvm_memmap_table_entry_size_offset, true)),
          type: view.getUint32(at + hvm_memmap_table_entry_type_offset, true),
        };
      },
    ),
  };
}

/** Reads the CPU record of a context (arch-x86/hvm/save.h), if it has a whole one. */
export function readContext(bytes: Uint8Array): ReadContext | undefined {
  const view = viewOf(bytes);
  let at = 0;
  while (at + hvm_save_descriptor_size <= bytes.length) {
    const typecode = view.getUint16(at + hvm_save_descriptor_typecode_offset, true);
    const length = view.getUint32(at + hvm_save_descriptor_length_offset, true);
    const record = at + hvm_save_descriptor_size;
    at = record + length;
    if (typecode !== HVM_SAVE_CODE_CPU) continue;
    if (length < hvm_hw_cpu_rip_offset + 8 || at > bytes.length) return undefined;
    return {
      entry: Number(view.getBigUint64(record + hvm_hw_cpu_rip_offset, true)),
      startInfo: Number(view.getBigUint64(record + hvm_hw_cpu_rbx_offset, true)),
    };
  }
  return undefined;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
