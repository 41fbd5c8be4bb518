// SPDX-License-Identifier: Apache-2.0
// Packs a kernel's pages into a material without its zero pages. A page of zeros costs 4096 bytes
// of image, to be loaded, digested and copied; to leave it out costs two operations of 24 bytes.
// So runs of zeros are left out, however short, as long as the plan's tables have room.

import { PAGE_SIZE } from "../../contract/limits.js";
import type { GuestPage } from "../guest/kernel-pages.js";

/** Frames of a guest in a row, filled from a material or with zeros. */
export interface PackedRun {
  readonly frame: number;
  readonly count: number;
  /** Offset in the material, bytes; undefined: zeros. */
  readonly offset: number | undefined;
}

export interface PackedPages {
  /** By ascending frame. */
  readonly runs: readonly PackedRun[];
  readonly bytes: Uint8Array;
}

/**
 * Packs pages in ascending order. A run of at most `storedZeros` zero pages between two other
 * pages is stored, so that it splits no operation.
 */
export function packPages(pages: readonly GuestPage[], storedZeros: number): PackedPages {
  const runs: PackedRun[] = [];
  const stored: Uint8Array[] = [];
  const zeroPage = new Uint8Array(PAGE_SIZE);
  for (const run of withStoredZeros(splitRuns(pages), storedZeros)) {
    const last = runs.at(-1);
    const offset = run.zero ? undefined : stored.length * PAGE_SIZE;
    if (!run.zero) stored.push(...run.pages.map((bytes) => bytes ?? zeroPage));
    const continues =
      last !== undefined &&
      last.frame + last.count === run.frame &&
      (last.offset === undefined) === (offset === undefined);
    if (continues) {
      runs[runs.length - 1] = { ...last, count: last.count + run.pages.length };
    } else {
      runs.push({ frame: run.frame, count: run.pages.length, offset });
    }
  }
  return { runs, bytes: Buffer.concat(stored) };
}

interface SplitRun {
  readonly frame: number;
  readonly zero: boolean;
  readonly pages: (Uint8Array | undefined)[];
}

/** Runs of frames in a row that are all zero, or none of them. */
function splitRuns(pages: readonly GuestPage[]): readonly SplitRun[] {
  const runs: SplitRun[] = [];
  for (const { frame, bytes } of pages) {
    const zero = bytes === undefined;
    const last = runs.at(-1);
    if (last !== undefined && last.zero === zero && last.frame + last.pages.length === frame) {
      last.pages.push(bytes);
    } else {
      runs.push({ frame, zero, pages: [bytes] });
    }
  }
  return runs;
}

function withStoredZeros(runs: readonly SplitRun[], most: number): readonly SplitRun[] {
  return runs.map((run, index) => {
    const before = runs[index - 1];
    const after = runs[index + 1];
    const between =
      before !== undefined &&
      after !== undefined &&
      before.frame + before.pages.length === run.frame &&
      run.frame + run.pages.length === after.frame;
    return run.zero && between && run.pages.length <= most ? { ...run, zero: false } : run;
  });
}
