// SPDX-License-Identifier: Apache-2.0
// One plan's run, followed: which hypercall must come next, given what Xen answered so far and what
// it told of the domains. Written from contract/ and docs/architecture.md, not from the boot domain.

import { LaunchStatus } from "../../contract/receipt.js";
import * as abi from "../../contract/xen-abi.js";
import type { News } from "../../xen-model/domain-life.js";
import type { DomainStateName } from "../../xen-model/receipt.js";
import { followOperation } from "./follow-operation.js";
import { errnoOf, type Following, PlanCourse } from "./plan-course.js";

const NANOSECONDS_PER_MILLISECOND = 1e6;

export class PlanFollower extends PlanCourse {
  readonly #done = new Set<number>();

  /** From the drop to the last step, or until nothing is left of what failed. */
  *run(): Following<void> {
    this.part.status = yield* this.#prepare();
    if (this.part.status === LaunchStatus.success) this.part.status = yield* this.#runSteps();
    if (this.part.status !== LaunchStatus.success) yield* this.#undo();
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
      if (timeoutNs > 0) this.part.waitNs += seen.endNs - atNs;
      // What was there to be told, kept it from sleeping.
      if (timeoutNs > 0 && seen.heard === undefined && seen.answer === 0) {
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
    const nowNs = this.clock.lastNs;
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

  #isDone(step: number): boolean {
    return this.#done.has(step) || this.isLost(this.#domainOf(step));
  }

  #guardsOf(step: number): readonly number[] {
    const { firstGuard = 0, guardCount = 0 } = this.plan.steps[step] ?? {};
    return this.plan.guards.slice(firstGuard, firstGuard + guardCount);
  }

  #guardIsLost(step: number): boolean {
    return this.#guardsOf(step).some((guard) => this.isLost(guard));
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
