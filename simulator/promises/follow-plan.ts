// SPDX-License-Identifier: Apache-2.0
// One plan's run, followed: which hypercall must come next, given what Xen answered so far and what
// it told of the domains. Written from contract/ and docs/architecture.md, not from the boot domain.

import type { Plan } from "../../compiler/plan/plan.js";
import { PAGE_SIZE } from "../../contract/limits.js";
import { LaunchStatus } from "../../contract/receipt.js";
import * as abi from "../../contract/xen-abi.js";
import { DIGEST_BYTE_NS } from "../../xen-model/costs.js";
import type { News } from "../../xen-model/domain-life.js";
import type { Hypercall, HypercallName } from "../../xen-model/hypercalls.js";
import type { DomainStateName } from "../../xen-model/receipt.js";
import { followOperation } from "./follow-operation.js";
import type { FollowedDomain, FollowedPart, Moment } from "./followed.js";

/** A hypercall that was made. */
export interface Seen {
  readonly call: Hypercall;
  /** Undefined: it did not return. */
  readonly answer: number | undefined;
  readonly endNs: number;
  readonly heard: News | undefined;
}

/** A hypercall that must come. */
export interface Wanted {
  readonly name: HypercallName;
  /** 0 for those on no domain. */
  readonly domid: number;
  /** Of a wait: until when it must sleep, if nothing comes; 0: it must not sleep. */
  readonly sleepsUntilNs?: number;
  /** Numbers, from 1, of what it is for; 0: of none. */
  readonly step: number;
  readonly operation: number;
}

/** Says what must come, is given what came, and ends with a value. */
export type Following<Value> = Generator<Wanted, Value, Seen>;

/** What the host of the launch has, and what of the plan's materials is intact. */
export interface FollowSetting {
  /** Size and digest of the FLASK policy that Xen enforces. */
  readonly policy: Pick<Plan, "policyBytes" | "policyDigest"> | undefined;
  readonly isIntact: (material: number) => boolean;
}

const NANOSECONDS_PER_MILLISECOND = 1e6;

/** Xen's errno, positive; 0: none. */
export function errnoOf(answer: number | undefined): number {
  return answer !== undefined && answer < 0 ? -answer : 0;
}

export class PlanFollower {
  /** Materials that were digested. */
  readonly digested = new Set<number>();
  readonly #done = new Set<number>();
  readonly #clock: LaunchClock;

  constructor(
    readonly plan: Plan,
    readonly part: FollowedPart,
    readonly setting: FollowSetting,
    clock: LaunchClock,
  ) {
    this.#clock = clock;
  }

  /** From the drop to the last step, or until nothing is left of what failed. */
  *run(): Following<void> {
    this.part.status = yield* this.#prepare();
    if (this.part.status === LaunchStatus.success) this.part.status = yield* this.#runSteps();
    if (this.part.status !== LaunchStatus.success) yield* this.#undo();
  }

  now(): Moment {
    return this.#clock.now();
  }

  domain(index: number): FollowedDomain {
    const domain = this.part.domains[index];
    if (domain === undefined) throw new Error(`bug: there is no domain ${index}`);
    return domain;
  }

  domidOf(index: number): number {
    return this.plan.domains[index]?.domid ?? 0;
  }

  /** What a hypercall's errno makes of the launch. */
  statusOf(error: number): number {
    this.part.error = error;
    return error === 0 ? LaunchStatus.success : LaunchStatus.hypercall;
  }

  /** Digests a material that was not yet. */
  verify(material: number): number {
    const { bytes = 0 } = this.plan.materials[material] ?? {};
    if (!this.digested.has(material)) {
      this.part.digestNs += Math.ceil(bytes / PAGE_SIZE) * PAGE_SIZE * DIGEST_BYTE_NS;
    }
    this.digested.add(material);
    return this.isVerified(material) ? LaunchStatus.success : LaunchStatus.materialDigest;
  }

  isVerified(material: number): boolean {
    return this.digested.has(material) && this.setting.isIntact(material);
  }

  *#prepare(): Following<number> {
    const { policyBytes, policyDigest } = this.plan;
    const dropped = yield { name: "drop", domid: 0, step: 0, operation: 0 };
    const status = this.statusOf(errnoOf(dropped.answer));
    if (this.part.error === abi.XEN_EACCES) return LaunchStatus.imageTarget;
    if (status !== LaunchStatus.success || policyBytes === 0) return status;
    const read = yield { name: "policy", domid: 0, step: 0, operation: 0 };
    this.part.error = errnoOf(read.answer);
    const { policy } = this.setting;
    const isIt =
      this.part.error === 0 &&
      policy?.policyBytes === policyBytes &&
      policy.policyDigest === policyDigest;
    return isIt ? LaunchStatus.success : LaunchStatus.policy;
  }

  /** The first step in table order that can run, else what there is to be heard, else a sleep. */
  *#runSteps(): Following<number> {
    let hasNothing = false;
    for (;;) {
      const limit = this.#earliestLimit();
      if (limit !== undefined) {
        const heard = yield* this.#hear(hasNothing ? limit : 0);
        const status = heard === LaunchStatus.success ? yield* this.#endLate() : heard;
        if (status !== LaunchStatus.success) return status;
      }
      const step = this.#nextStep();
      hasNothing = step === undefined;
      if (step === undefined) {
        if (this.#earliestLimit() !== undefined) continue;
        return this.#isLeft() ? LaunchStatus.stalled : LaunchStatus.success;
      }
      const status = this.#guardIsLost(step)
        ? yield* this.abandon(this.#domainOf(step), "skipped")
        : yield* this.#runStep(step);
      if (status !== LaunchStatus.success) return status;
    }
  }

  *#runStep(step: number): Following<number> {
    const { domain = 0, firstOperation = 0, operationCount = 0 } = this.plan.steps[step] ?? {};
    const beganAt = this.now();
    let status: number = LaunchStatus.success;
    let operation = firstOperation;
    while (status === LaunchStatus.success && operation < firstOperation + operationCount) {
      status = yield* followOperation(this, { domain, step: step + 1, operation: operation + 1 });
      operation++;
    }
    const times = this.part.steps[step];
    if (times !== undefined) Object.assign(times, { beganAt, endedAt: this.now() });
    this.#done.add(step);
    if (status === LaunchStatus.success) return status;
    return yield* this.#fail(domain, status, step + 1, operation);
  }

  /** A domain has failed: the launch goes on or not. */
  *#fail(domain: number, status: number, step = 0, operation = 0): Following<number> {
    Object.assign(this.domain(domain), { status, operation, error: this.part.error });
    if (this.plan.domains[domain]?.onFailure === "continue") {
      this.part.error = 0;
      return yield* this.abandon(domain, "failed");
    }
    Object.assign(this.part, { step, operation, domain: domain + 1 });
    return status;
  }

  /** Destroys a domain if it is there. */
  *abandon(domain: number, state: DomainStateName): Following<number> {
    const followed = this.domain(domain);
    if (followed.state === "created" || followed.state === "started") {
      const destroyedAt = this.now();
      const wanted = {
        name: "destroy",
        domid: this.domidOf(domain),
        step: 0,
        operation: 0,
      } as const;
      const error = errnoOf((yield wanted).answer);
      if (error !== 0 && error !== abi.XEN_ESRCH) return this.statusOf(error);
      followed.destroyedAt = destroyedAt;
    }
    followed.state = state;
    return LaunchStatus.success;
  }

  *#undo(): Following<void> {
    const { error } = this.part;
    for (const index of [...this.part.domains.keys()].reverse()) {
      const { state } = this.domain(index);
      if (state === "created" || state === "started") yield* this.abandon(index, "destroyed");
    }
    this.part.error = error;
  }

  /** Takes in all that there is to be told, after a sleep until `limitNs`; 0: without one. */
  *#hear(limitNs: number): Following<number> {
    let sleepsUntilNs = limitNs;
    for (;;) {
      const seen = yield { name: "wait", domid: 0, sleepsUntilNs, step: 0, operation: 0 };
      const { atNs, timeoutNs = 0 } = seen.call;
      if (timeoutNs > 0) {
        this.part.waitNs += seen.endNs - atNs;
        this.part.sleeps.push({ fromNs: atNs, toNs: seen.endNs, open: this.#openSteps() });
      }
      const status = this.statusOf(errnoOf(seen.answer));
      if (status !== LaunchStatus.success) return status;
      if (seen.heard !== undefined) {
        const taken = yield* this.#takeIn(seen.heard);
        if (taken !== LaunchStatus.success) return taken;
      } else if (timeoutNs === 0) return LaunchStatus.success;
      sleepsUntilNs = 0;
    }
  }

  *#takeIn({ domid, event, reason }: News): Following<number> {
    const index = this.plan.domains.findIndex(
      (domain, at) => domain.domid === domid && this.domain(at).state === "started",
    );
    if (index < 0) return LaunchStatus.success;
    const domain = this.domain(index);
    const readiness = this.plan.domains[index]?.readiness;
    const wasReady = domain.readyAt !== undefined;
    if (event === abi.XEN_BOOT_DOMAIN_EVENT_signalled) {
      domain.signalledAt = this.now();
      if (!wasReady && readiness === "signalled") domain.readyAt = domain.signalledAt;
      return LaunchStatus.success;
    }
    domain.endedAt = this.now();
    domain.endReason = reason;
    if (wasReady) return LaunchStatus.success;
    const isFinished =
      readiness === "finished" &&
      domain.signalledAt !== undefined &&
      reason === abi.SHUTDOWN_poweroff;
    if (!isFinished) return yield* this.#fail(index, LaunchStatus.ended);
    domain.readyAt = domain.endedAt;
    return yield* this.abandon(index, "finished");
  }

  *#endLate(): Following<number> {
    const nowNs = this.#clock.lastNs;
    for (const index of this.part.domains.keys()) {
      const limit = this.#limitOf(index);
      if (limit === undefined || limit > nowNs) continue;
      const status = yield* this.#fail(index, LaunchStatus.late);
      if (status !== LaunchStatus.success) return status;
    }
    return LaunchStatus.success;
  }

  /** When a domain that is awaited is late. */
  #limitOf(index: number): number | undefined {
    const { state, startedAt, readyAt } = this.domain(index);
    if (state !== "started" || startedAt === undefined || readyAt !== undefined) return undefined;
    const { readyWithin = 0 } = this.plan.domains[index] ?? {};
    return startedAt.toNs + readyWithin * NANOSECONDS_PER_MILLISECOND;
  }

  #earliestLimit(): number | undefined {
    const limits = this.part.domains.flatMap((_, index) => this.#limitOf(index) ?? []);
    return limits.length === 0 ? undefined : Math.min(...limits);
  }

  #domainOf(step: number): number {
    return this.plan.steps[step]?.domain ?? 0;
  }

  #isLost(index: number): boolean {
    const { state } = this.domain(index);
    return state === "failed" || state === "skipped";
  }

  #isDone(step: number): boolean {
    return this.#done.has(step) || this.#isLost(this.#domainOf(step));
  }

  #guardsOf(step: number): readonly number[] {
    const { firstGuard = 0, guardCount = 0 } = this.plan.steps[step] ?? {};
    return this.plan.guards.slice(firstGuard, firstGuard + guardCount);
  }

  #guardIsLost(step: number): boolean {
    return this.#guardsOf(step).some((guard) => this.#isLost(guard));
  }

  #followsOn(step: number): boolean {
    const { afterStep = 0 } = this.plan.steps[step] ?? {};
    return afterStep === 0 || this.#isDone(afterStep - 1);
  }

  #canRun(step: number): boolean {
    const isReady = (guard: number): boolean => this.domain(guard).readyAt !== undefined;
    return this.#followsOn(step) && this.#guardsOf(step).every(isReady);
  }

  #nextStep(): number | undefined {
    const step = this.plan.steps.findIndex(
      (_, at) => !this.#isDone(at) && (this.#guardIsLost(at) || this.#canRun(at)),
    );
    return step < 0 ? undefined : step;
  }

  #isLeft(): boolean {
    return this.plan.steps.some((_, step) => !this.#isDone(step));
  }

  /** Of each step that is not done and follows on what is, the domains that it waits for. */
  #openSteps(): readonly (readonly number[])[] {
    return this.plan.steps.flatMap((_, step) => {
      if (this.#isDone(step) || !this.#followsOn(step)) return [];
      return [this.#guardsOf(step).filter((guard) => this.domain(guard).readyAt === undefined)];
    });
  }
}

/** Tells times between hypercalls. */
export class LaunchClock {
  /** When the last hypercall had ended. */
  lastNs = 0;
  readonly #open: Moment[] = [];

  /** The present moment, which the next hypercall ends. */
  now(): Moment {
    const moment = { fromNs: this.lastNs, toNs: Number.POSITIVE_INFINITY };
    this.#open.push(moment);
    return moment;
  }

  /** A hypercall has come. */
  pass({ call, endNs }: Pick<Seen, "call" | "endNs">): void {
    for (const moment of this.#open.splice(0)) moment.toNs = call.atNs;
    this.lastNs = endNs;
  }
}
