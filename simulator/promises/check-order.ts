// SPDX-License-Identifier: Apache-2.0
// Promises on the order of a launch, held against what its domains really did, which the boot domain
// knows only by hearing: none starts before what it waits for is ready, none stays that is finished,
// and no time is slept away in which a step could have run.

import type { Plan, PlanDomain } from "../../compiler/plan/plan.js";
import { SHUTDOWN_poweroff } from "../../contract/xen-abi.js";
import { type DomainLife, endTime, signalTime } from "../../xen-model/domain-life.js";
import type { Say } from "./check-receipt.js";
import type { FollowedPart } from "./followed.js";

/** Domains of a plan by their index, of those that were started: what each did. */
export type Lives = ReadonlyMap<number, DomainLife>;

/** The lives of one plan's domains, of all lives from `fromNs` until `toNs`. */
export function livesOf(
  { domains }: Plan,
  lives: readonly DomainLife[],
  fromNs: number,
  toNs: number,
): Lives {
  return new Map(
    lives
      .filter(({ startedNs }) => startedNs >= fromNs && startedNs < toNs)
      .map((life) => [domains.findIndex(({ domid }) => domid === life.domid), life]),
  );
}

/** When a domain was really ready, in nanoseconds; NaN: never. */
export function readyTime(
  { readiness }: Pick<PlanDomain, "readiness">,
  life: DomainLife | undefined,
): number {
  if (life === undefined) return Number.NaN;
  const time = {
    started: life.startedNs,
    signalled: signalTime(life),
    finished: life.behaviour.end?.reason === SHUTDOWN_poweroff ? endAfterSignal(life) : Number.NaN,
  }[readiness];
  // What it does once it is destroyed does not happen.
  return time <= (life.destroyedNs ?? Number.POSITIVE_INFINITY) ? time : Number.NaN;
}

function endAfterSignal(life: DomainLife): number {
  return signalTime(life) <= endTime(life) ? endTime(life) : Number.NaN;
}

/** No domain was started before each that its start waits for was ready. */
export function checkStarts(plan: Plan, lives: Lives, say: Say): void {
  for (const [index, life] of lives) {
    for (const guard of guardsOfStart(plan, index)) {
      const guarding = plan.domains[guard];
      if (guarding === undefined) continue;
      const ready = readyTime(guarding, lives.get(guard));
      const words = Number.isNaN(ready) ? "which never was ready" : `ready at ${ready} ns`;
      say(
        ready <= life.startedNs,
        `${plan.domains[index]?.name} was started at ${life.startedNs} ns, after ${guarding.name}, ${words}`,
      );
    }
  }
}

/** The domains that all steps with the domain's start wait for. */
function guardsOfStart({ steps, guards, operations }: Plan, index: number): readonly number[] {
  const starting = steps.filter(
    ({ domain, firstOperation, operationCount }) =>
      domain === index &&
      operations
        .slice(firstOperation, firstOperation + operationCount)
        .some(({ kind }) => kind === "start"),
  );
  // A plan that no compiler makes may start it in one of several steps: nobody knows in which.
  if (starting.length !== 1) return [];
  return starting.flatMap(({ firstGuard, guardCount }) =>
    guards.slice(firstGuard, firstGuard + guardCount),
  );
}

/** Every domain that has finished while the launch waited for it is destroyed. */
export function checkFinished({ domains }: Plan, lives: Lives, endNs: number, say: Say): void {
  for (const [index, life] of lives) {
    const domain = domains[index];
    if (domain?.readiness !== "finished" || !(readyTime(domain, life) <= endNs)) continue;
    say(life.destroyedNs !== undefined, `${domain.name} has finished, and is left`);
  }
}

/** Nanoseconds of a part's sleeps in which a step could have run: 0 is promised. */
export function idleTime({ plan, sleeps }: FollowedPart, lives: Lives): number {
  return sleeps.reduce((sum, { fromNs, toNs, open }) => {
    const holds = open.map((guards) =>
      Math.max(fromNs, ...guards.map((guard) => heardTime(plan, guard, lives))),
    );
    const first = Math.min(
      Number.POSITIVE_INFINITY,
      ...holds.filter((time) => !Number.isNaN(time)),
    );
    return sum + Math.max(0, toNs - first);
  }, 0);
}

function heardTime(plan: Plan | undefined, guard: number, lives: Lives): number {
  const domain = plan?.domains[guard];
  return domain === undefined ? Number.NaN : readyTime(domain, lives.get(guard));
}
