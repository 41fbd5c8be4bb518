// SPDX-License-Identifier: Apache-2.0
// How long a launch may wait for its domains, which is no work of the boot domain's: Xen's limit on a
// launch has to leave room for it.

import type { Plan } from "./plan.js";

/**
 * The longest time in milliseconds for which domains may keep others waiting, one after another:
 * the sum of their limits along the longest chain.
 */
export function longestWait({ domains, steps, guards }: Plan): number {
  const known = new Map<number, number>();
  const endOf = (domain: number): number => {
    const found = known.get(domain);
    if (found !== undefined) return found;
    // A plan that no compiler made may go round in a circle; it never runs to its end.
    known.set(domain, 0);
    const awaited = steps
      .filter((step) => step.domain === domain)
      .flatMap(({ firstGuard, guardCount }) => guards.slice(firstGuard, firstGuard + guardCount));
    const start = Math.max(0, ...awaited.map(endOf));
    const end = start + (domains[domain]?.readyWithin ?? 0);
    known.set(domain, end);
    return end;
  };
  return Math.max(0, ...domains.map((_, domain) => endOf(domain)));
}
