// SPDX-License-Identifier: Apache-2.0
// The operations that give a domain its memory and fill it.

import { PAGE_SIZE } from "../../contract/limits.js";
import type { MemoryRange } from "../guest/memory-ranges.js";
import type { PlanOperation } from "./plan.js";

/** Order of the large extents: 2 MiB. */
const LARGE_ORDER = 9;

/** Frames of a guest in a row, filled from a material or with zeros. */
export interface Filling {
  readonly frame: number;
  readonly count: number;
  /** Undefined: zeros. The offset is in bytes, a multiple of the page size. */
  readonly source: { readonly material: number; readonly offset: number } | undefined;
}

/** Gives the memory in extents of 2 MiB where they are aligned and whole, else in pages. */
export function populateOperations(memory: readonly MemoryRange[]): readonly PlanOperation[] {
  const large = 2 ** LARGE_ORDER;
  return memory.flatMap(({ address, bytes }) => {
    const first = address / PAGE_SIZE;
    const end = first + bytes / PAGE_SIZE;
    const largeFirst = Math.min(end, Math.ceil(first / large) * large);
    const largeEnd = Math.max(largeFirst, Math.floor(end / large) * large);
    const parts = [
      { frame: first, count: largeFirst - first, order: 0 },
      { frame: largeFirst, count: (largeEnd - largeFirst) / large, order: LARGE_ORDER },
      { frame: largeEnd, count: end - largeEnd, order: 0 },
    ];
    return parts
      .filter(({ count }) => count > 0)
      .map((part) => ({ kind: "populate" as const, ...part }));
  });
}

/** The operation that fills frames. */
export function fillOperation({ frame, count, source }: Filling): PlanOperation {
  return source === undefined
    ? { kind: "clear", frame, count }
    : { kind: "copy", material: source.material, offset: source.offset, frame, count };
}
