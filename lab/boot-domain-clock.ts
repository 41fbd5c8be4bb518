// SPDX-License-Identifier: Apache-2.0
// The times in a boot domain's receipt, in nanoseconds of its own clock.

import { parseReceiptLines } from "../xen-model/receipt.js";

/** Times since the clock's origin, and durations. */
export interface BootDomainClock {
  readonly began: number;
  readonly ended: number;
  readonly digest: number;
  readonly populate: number;
  readonly copy: number;
  readonly clear: number;
  /** When each domain was started, in the order of the plan; 0: never. */
  readonly started: readonly number[];
}

/** Throws when the lines hold no launch: they are the boot domain's own. */
export function bootDomainClock(receiptLines: readonly string[]): BootDomainClock {
  const receipt = parseReceiptLines(receiptLines);
  if (receipt === undefined) throw new Error("no launch line in the receipt");
  const nanoseconds = (ticks: number): number => Math.round((ticks * 1e6) / receipt.clockKilohertz);
  return {
    began: nanoseconds(receipt.beganAt),
    ended: nanoseconds(receipt.endedAt),
    digest: nanoseconds(receipt.digestTicks),
    populate: nanoseconds(receipt.populateTicks),
    copy: nanoseconds(receipt.copyTicks),
    clear: nanoseconds(receipt.clearTicks),
    started: receipt.domains.map(({ startedAt }) => nanoseconds(startedAt)),
  };
}
