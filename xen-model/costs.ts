// SPDX-License-Identifier: Apache-2.0
// What things cost in the model's virtual time, in nanoseconds: rounded from a launch of
// examples/two-linux on real Xen in virtual time (`npm run bench -- times`). They make the
// simulator's times plausible, no more.

/** A hypercall that does nothing in particular, with the way into Xen and back. */
export const HYPERCALL_NS = 3_000;
/** Giving a domain one page, which Xen scrubs. */
export const POPULATE_PAGE_NS = 1_140;
/** Copying one page into a domain. */
export const COPY_PAGE_NS = 3_060;
/** Clearing one page of a domain. */
export const CLEAR_PAGE_NS = 1_560;
/** A character on the serial port. */
export const CONSOLE_BYTE_NS = 90;
/** Digesting a byte that the boot domain reads of the image. */
export const DIGEST_BYTE_NS = 48;

/** Counts of what a launch, or a part of it, does. */
export interface Workload {
  readonly hypercalls: number;
  /** Bytes of the image that are read, digested or not. */
  readonly imageBytes: number;
  readonly populatedPages: number;
  readonly copiedPages: number;
  readonly clearedPages: number;
}

/** What it costs in the model's virtual time, in nanoseconds; the console's bytes apart. */
export function timeOf(work: Workload): number {
  return (
    work.hypercalls * HYPERCALL_NS +
    work.imageBytes * DIGEST_BYTE_NS +
    work.populatedPages * POPULATE_PAGE_NS +
    work.copiedPages * COPY_PAGE_NS +
    work.clearedPages * CLEAR_PAGE_NS
  );
}
