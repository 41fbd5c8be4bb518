// SPDX-License-Identifier: Apache-2.0
// Ranges of a guest's memory, and how many pages hold so many bytes.

import { PAGE_SIZE } from "../../contract/limits.js";

/** Bytes of guest physical addresses with one use. */
export interface MemoryRange {
  /** Guest physical address, a multiple of the page size. */
  readonly address: number;
  /** A multiple of the page size, at least one page. */
  readonly bytes: number;
  /** XEN_HVM_MEMMAP_TYPE_* (xen/include/public/arch-x86/hvm/start_info.h). */
  readonly type: number;
}

/** Pages that hold `bytes` bytes. */
export function pagesOf(bytes: number): number {
  return Math.ceil(bytes / PAGE_SIZE);
}
