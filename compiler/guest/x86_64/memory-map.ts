// SPDX-License-Identifier: Apache-2.0
// Where a guest has memory: from 0 up to LOW_MEMORY_END, the rest from 4 GiB. Between them lie its
// local APIC and Xen's special and shared pages; nothing else of a PC is there. The start of day is
// memory that the guest may use once it has read the ACPI tables in it. Link memory is the guest's
// too, but its kernel must leave it to the programs that map it.

import { PAGE_SIZE } from "../../../contract/limits.js";
import {
  XEN_HVM_MEMMAP_TYPE_ACPI,
  XEN_HVM_MEMMAP_TYPE_RAM,
  XEN_HVM_MEMMAP_TYPE_RESERVED,
} from "../../../contract/xen-abi.js";
import type { MemoryRange } from "../memory-ranges.js";
import type { FrameRange } from "../platform.js";

/** First byte that is never memory below 4 GiB. */
export const LOW_MEMORY_END = 0xf0000000;
/** First byte of memory above the hole. */
export const HIGH_MEMORY_START = 0x1_0000_0000;
/** First byte of what a guest must leave alone: shared info, special pages, local APIC. */
const RESERVED_START = 0xfc000000;

/** The guest's memory, by ascending address, for `memoryBytes` in whole pages. */
export function memoryRanges(memoryBytes: number): readonly MemoryRange[] {
  const low = Math.min(memoryBytes, LOW_MEMORY_END);
  const high = memoryBytes - low;
  const ranges = [{ address: 0, bytes: low, type: XEN_HVM_MEMMAP_TYPE_RAM }];
  if (high > 0) {
    ranges.push({ address: HIGH_MEMORY_START, bytes: high, type: XEN_HVM_MEMMAP_TYPE_RAM });
  }
  return ranges;
}

/** The most ranges that a memory map has, of a guest with so many ranges of link memory. */
export function mostMapRanges(linkRanges: number): number {
  return 5 + linkRanges;
}

/** The memory map that the guest is told: its memory, its start of day, what it must leave alone. */
export function memoryMap(
  memoryBytes: number,
  startOfDay: { readonly address: number; readonly bytes: number },
  linkMemory: readonly FrameRange[] = [],
): readonly MemoryRange[] {
  const links = linkMemory.map(({ start, end }) => ({
    address: start * PAGE_SIZE,
    bytes: (end - start) * PAGE_SIZE,
    type: XEN_HVM_MEMMAP_TYPE_RESERVED,
  }));
  const [low, ...high] = memoryRanges(memoryBytes).map((range) => {
    const end = range.address + range.bytes;
    const taken = links.find(({ address, bytes }) => address + bytes === end)?.bytes ?? 0;
    return { ...range, bytes: range.bytes - taken };
  });
  const reserved = {
    address: RESERVED_START,
    bytes: HIGH_MEMORY_START - RESERVED_START,
    type: XEN_HVM_MEMMAP_TYPE_RESERVED,
  };
  const lowEnd = low?.bytes ?? 0;
  const after = startOfDay.address + startOfDay.bytes;
  return [
    { address: 0, bytes: startOfDay.address, type: XEN_HVM_MEMMAP_TYPE_RAM },
    { ...startOfDay, type: XEN_HVM_MEMMAP_TYPE_ACPI },
    { address: after, bytes: lowEnd - after, type: XEN_HVM_MEMMAP_TYPE_RAM },
    reserved,
    ...high,
    ...links,
  ]
    .filter(({ bytes }) => bytes > 0)
    .sort((a, b) => a.address - b.address);
}
