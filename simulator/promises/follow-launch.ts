// SPDX-License-Identifier: Apache-2.0
// A whole launch, followed: the main plan, if it may run; the receipt's lines; the recovery plan
// where it takes the main one's place; the exit. One look at each hypercall tells whether it had to
// come, and of which step and operation it is.

import { LaunchStatus, STEPS_PER_LINE } from "../../contract/receipt.js";
import type { ExaminedPlan, ExaminedPlans } from "../examine-plans.js";
import { PlanFollower } from "./follow-plan.js";
import { type FollowedPart, newPart } from "./followed.js";
import {
  type Following,
  type FollowSetting,
  LaunchClock,
  type Seen,
  type Wanted,
} from "./plan-course.js";

/** What of the launch's setting depends on the plan. */
export interface LaunchSetting extends Pick<FollowSetting, "policy"> {
  readonly isIntact: (examined: ExaminedPlan, material: number) => boolean;
}

/** Of what a hypercall is: numbers from 1, 0 for none; the part counts from 0. */
export interface CallPlace {
  readonly part: number;
  readonly step: number;
  readonly operation: number;
}

/** How much longer a sleep may be than what is left to a domain. */
const NANOSECONDS_PER_MILLISECOND = 1e6;

export class LaunchFollower {
  /** What ran, or was refused, the main plan first. */
  readonly parts: FollowedPart[] = [];
  /** Sleeps that were too long, or out of place, in words. */
  readonly wrongSleeps: string[] = [];
  /** What came that had not to come, in words: the rest is not followed then. */
  astray: string | undefined;

  readonly #clock = new LaunchClock();
  readonly #steps: Following<void>;
  #wanted: Wanted | undefined;

  constructor(plans: ExaminedPlans, setting: LaunchSetting) {
    this.#steps = this.#launch(plans, setting);
    this.#wanted = this.#steps.next().value ?? undefined;
  }

  /** Takes a hypercall in; where it belongs, if it had to come. */
  see(seen: Seen): CallPlace | undefined {
    if (this.astray !== undefined) return undefined;
    const wanted = this.#wanted;
    this.astray = differenceOf(wanted, seen);
    if (wanted === undefined || this.astray !== undefined) return undefined;
    const wrong = wrongSleep(wanted, seen);
    if (wrong !== undefined) this.wrongSleeps.push(wrong);
    const place = { part: this.parts.length - 1, step: wanted.step, operation: wanted.operation };
    this.#clock.pass(seen);
    const next = this.#steps.next(seen);
    this.#wanted = next.done === true ? undefined : next.value;
    return place;
  }

  /** Whether all has come that had to. */
  get isOver(): boolean {
    return this.#wanted === undefined;
  }

  *#launch(plans: ExaminedPlans, setting: LaunchSetting): Following<void> {
    const main = yield* this.#part(plans.main, setting);
    const failed = main.plan?.domains[main.domain - 1];
    const recovers = main.plan === undefined || failed?.onFailure === "recover";
    if (main.status !== LaunchStatus.success && recovers && plans.recovery.plan !== undefined) {
      yield* this.#part(plans.recovery, setting);
    }
    yield { name: "exit", domid: 0, step: 0, operation: 0 };
  }

  *#part(examined: ExaminedPlan, { policy, isIntact }: LaunchSetting): Following<FollowedPart> {
    const part = newPart(examined);
    this.parts.push(part);
    part.beganAt = this.#clock.now();
    part.status = examined.status;
    if (part.plan !== undefined) {
      const ofPlan = { policy, isIntact: (material: number) => isIntact(examined, material) };
      yield* new PlanFollower(part.plan, part, ofPlan, this.#clock).run();
    }
    part.endedAt = this.#clock.now();
    const stepLines = Math.ceil(part.steps.length / STEPS_PER_LINE);
    const lines = part.domains.length + stepLines + (part.signedBy === 0 ? 1 : 0) + 2;
    for (let line = 0; line < lines; line++) {
      yield { name: "console", domid: 0, step: 0, operation: 0 };
    }
    return part;
  }
}

/** How a hypercall differs from what had to come, in words. */
function differenceOf(wanted: Wanted | undefined, { call }: Seen): string | undefined {
  const made = `hypercall ${call.number} is ${call.name}:${call.occurrence}`;
  if (wanted === undefined) return `${made}, and none had to come`;
  const { name, domid } = wanted;
  if (name !== call.name) return `${made}, and ${name} had to come`;
  return domid === call.domid
    ? undefined
    : `${made} on d${call.domid}, and it had to be on d${domid}`;
}

/** What is wrong with a wait's sleep, or that it does not sleep, in words. */
function wrongSleep({ sleepsUntilNs }: Wanted, { call }: Seen): string | undefined {
  if (sleepsUntilNs === undefined) return undefined;
  const { atNs, occurrence, timeoutNs = 0 } = call;
  const leftNs = Math.max(0, sleepsUntilNs - atNs);
  if (leftNs === 0) return timeoutNs > 0 ? `wait:${occurrence} sleeps, and must not` : undefined;
  if (timeoutNs === 0) return `wait:${occurrence} does not sleep, and nothing else is to be done`;
  return timeoutNs > leftNs + NANOSECONDS_PER_MILLISECOND
    ? `wait:${occurrence} sleeps ${timeoutNs} ns, and a domain is late in ${leftNs} ns`
    : undefined;
}
