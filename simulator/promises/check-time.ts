// SPDX-License-Identifier: Apache-2.0
// How long a launch may take: the work of its plans, and what its domains may take to be ready, along
// the longest chain of those that wait for each other.

import type { Plan } from "../../compiler/plan/plan.js";
import { workOfLaunch } from "../../compiler/plan/work.js";
import { CONSOLE_BYTE_NS, timeOf } from "../../xen-model/costs.js";

/** A sleep is whole milliseconds: it ends one later at most. */
const ROUNDING_MS = 1;
const NANOSECONDS_PER_MILLISECOND = 1e6;
/** Room for a line on the console, LINE_BYTES of bootdomain/assembly/memory.ts. */
const LINE_BYTES = 0x400;

/** Upper bound of a launch of these plans, one after another, with so many lines: nanoseconds. */
export function mostTime(plans: readonly Plan[], lines: number): number {
  const works = plans.map((plan) => timeOf(workOfLaunch(plan)) + longestWait(plan));
  return works.reduce((sum, time) => sum + time, lines * LINE_BYTES * CONSOLE_BYTE_NS);
}

/** The longest chain of limits, each of which begins when the one before it has ended: nanoseconds. */
export function longestWait(plan: Plan): number {
  /** When steps are done at the latest; infinity: never, since they wait for each other. */
  const ends = new Map<number, number>();
  const endOf = (step: number): number => {
    const known = ends.get(step);
    if (known !== undefined) return known;
    ends.set(step, Number.POSITIVE_INFINITY);
    const { afterStep = 0, firstGuard = 0, guardCount = 0 } = plan.steps[step] ?? {};
    const guards = plan.guards.slice(firstGuard, firstGuard + guardCount);
    const end = Math.max(0, afterStep === 0 ? 0 : endOf(afterStep - 1), ...guards.map(readyOf));
    ends.set(step, end);
    return end;
  };
  const readyOf = (domain: number): number => {
    const own = plan.steps.flatMap((step, index) => (step.domain === domain ? [endOf(index)] : []));
    const { readiness, readyWithin = 0 } = plan.domains[domain] ?? {};
    const awaited = readiness === "started" ? 0 : readyWithin + ROUNDING_MS;
    return Math.max(0, ...own.filter(Number.isFinite)) + awaited * NANOSECONDS_PER_MILLISECOND;
  };
  return Math.max(0, ...plan.domains.map((_, domain) => readyOf(domain)));
}
