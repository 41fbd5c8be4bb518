// SPDX-License-Identifier: Apache-2.0
// The start of day: what a PVH guest finds in its memory when it starts. One run of whole pages:
// hvm_start_info, module list, ACPI tables, memory map, command line (arch-x86/hvm/start_info.h).

import { PAGE_SIZE } from "../../../contract/limits.js";
import {
  hvm_memmap_table_entry_addr_offset,
  hvm_memmap_table_entry_size,
  hvm_memmap_table_entry_size_offset,
  hvm_memmap_table_entry_type_offset,
  hvm_modlist_entry_paddr_offset,
  hvm_modlist_entry_size,
  hvm_modlist_entry_size_offset,
  hvm_start_info_cmdline_paddr_offset,
  hvm_start_info_magic_offset,
  hvm_start_info_memmap_entries_offset,
  hvm_start_info_memmap_paddr_offset,
  hvm_start_info_modlist_paddr_offset,
  hvm_start_info_nr_modules_offset,
  hvm_start_info_rsdp_paddr_offset,
  hvm_start_info_size,
  hvm_start_info_version_offset,
  XEN_HVM_START_MAGIC_VALUE,
} from "../../../contract/xen-abi.js";
import { pagesOf } from "../memory-ranges.js";
import type { ToldGuest } from "../platform.js";
import { writeStructure } from "../structures.js";
import { acpiBytes, encodeAcpi } from "./acpi.js";
import { memoryMap, mostMapRanges } from "./memory-map.js";

/** Version of hvm_start_info that has a memory map. */
const START_INFO_VERSION = 1;

interface Offsets {
  readonly modules: number;
  readonly acpi: number;
  readonly memoryMap: number;
  readonly cmdline: number;
  readonly pages: number;
}

function offsetsOf({ cmdline, ramdisk, vcpus, linkMemory }: ToldGuest): Offsets {
  const modulesAt = hvm_start_info_size;
  const modulesEnd = modulesAt + (ramdisk === undefined ? 0 : hvm_modlist_entry_size);
  const acpiAt = alignedTo(16, modulesEnd);
  const memoryMapAt = alignedTo(8, acpiAt + acpiBytes(vcpus));
  const cmdlineAt = memoryMapAt + mostMapRanges(linkMemory.length) * hvm_memmap_table_entry_size;
  const end = cmdlineAt + Buffer.byteLength(cmdline) + 1;
  return {
    modules: modulesAt,
    acpi: acpiAt,
    memoryMap: memoryMapAt,
    cmdline: cmdlineAt,
    pages: pagesOf(end),
  };
}

function alignedTo(alignment: number, offset: number): number {
  return Math.ceil(offset / alignment) * alignment;
}

/** Pages that the start of day takes; its place does not matter. */
export function startOfDayPages(content: ToldGuest): number {
  return offsetsOf(content).pages;
}

/** The start of day for a guest that has it at `address`: hvm_start_info is its first byte. */
export function encodeStartOfDay(content: ToldGuest, address: number): Uint8Array {
  const { cmdline, memoryBytes, ramdisk, linkMemory, vcpus } = content;
  const offsets = offsetsOf(content);
  const bytes = new Uint8Array(offsets.pages * PAGE_SIZE);
  const map = memoryMap(memoryBytes, { address, bytes: bytes.length }, linkMemory);

  const info = writeStructure(bytes, 0);
  info.set32(hvm_start_info_magic_offset, XEN_HVM_START_MAGIC_VALUE);
  info.set32(hvm_start_info_version_offset, START_INFO_VERSION);
  info.set64(hvm_start_info_cmdline_paddr_offset, address + offsets.cmdline);
  info.set64(hvm_start_info_rsdp_paddr_offset, address + offsets.acpi);
  info.set64(hvm_start_info_memmap_paddr_offset, address + offsets.memoryMap);
  info.set32(hvm_start_info_memmap_entries_offset, map.length);
  if (ramdisk !== undefined) {
    info.set32(hvm_start_info_nr_modules_offset, 1);
    info.set64(hvm_start_info_modlist_paddr_offset, address + offsets.modules);
    const entry = writeStructure(bytes, offsets.modules);
    entry.set64(hvm_modlist_entry_paddr_offset, ramdisk.address);
    entry.set64(hvm_modlist_entry_size_offset, ramdisk.bytes);
  }
  for (const [index, range] of map.entries()) {
    const entry = writeStructure(bytes, offsets.memoryMap + index * hvm_memmap_table_entry_size);
    entry.set64(hvm_memmap_table_entry_addr_offset, range.address);
    entry.set64(hvm_memmap_table_entry_size_offset, range.bytes);
    entry.set32(hvm_memmap_table_entry_type_offset, range.type);
  }
  bytes.set(encodeAcpi(address + offsets.acpi, vcpus), offsets.acpi);
  bytes.set(Buffer.from(cmdline), offsets.cmdline);
  return bytes;
}
