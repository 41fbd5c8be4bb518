// SPDX-License-Identifier: Apache-2.0
// Where a guest on arm64 has memory: two banks at the same addresses on every board
// (xen/include/public/arch-arm.h, "Guest memory layout").

import { XEN_HVM_MEMMAP_TYPE_RAM } from "../../../contract/xen-abi.js";
import {
  GUEST_RAM0_BASE,
  GUEST_RAM0_SIZE,
  GUEST_RAM1_BASE,
  GUEST_RAM1_SIZE,
} from "../../../contract/xen-abi-arm64.js";
import type { MemoryRange } from "../memory-ranges.js";

/** The most memory that both banks hold, bytes. */
export const MOST_MEMORY_BYTES = GUEST_RAM0_SIZE + GUEST_RAM1_SIZE;

/** The guest's memory, by ascending address, for `memoryBytes` in whole pages. */
export function memoryRanges(memoryBytes: number): readonly MemoryRange[] {
  const low = Math.min(memoryBytes, GUEST_RAM0_SIZE);
  const high = memoryBytes - low;
  const type = XEN_HVM_MEMMAP_TYPE_RAM;
  const ranges = [{ address: GUEST_RAM0_BASE, bytes: low, type }];
  if (high > 0) ranges.push({ address: GUEST_RAM1_BASE, bytes: high, type });
  return ranges;
}
