// SPDX-License-Identifier: Apache-2.0
// What of one plan's run is known so far, while it is followed: what came, and what must come next.

import type { Plan } from "../../compiler/plan/plan.js";
import { PAGE_SIZE } from "../../contract/limits.js";
import { LaunchStatus } from "../../contract/receipt.js";
import { DIGEST_BYTE_NS } from "../../xen-model/costs.js";
import type { News } from "../../xen-model/domain-life.js";
import type { Hypercall, HypercallName } from "../../xen-model/hypercalls.js";
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

/** Xen's errno, positive; 0: none. */
export function errnoOf(answer: number | undefined): number {
  return answer !== undefined && answer < 0 ? -answer : 0;
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

export class PlanCourse {
  readonly #digested = new Set<number>();

  constructor(
    readonly plan: Plan,
    readonly part: FollowedPart,
    readonly setting: FollowSetting,
    protected readonly clock: LaunchClock,
  ) {}

  now(): Moment {
    return this.clock.now();
  }

  domain(index: number): FollowedDomain {
    const domain = this.part.domains[index];
    if (domain === undefined) throw new Error(`bug: there is no domain ${index}`);
    return domain;
  }

  /** Whether the launch goes on without the domain. */
  isLost(index: number): boolean {
    const { state } = this.domain(index);
    return state === "failed" || state === "skipped";
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
    if (!this.#digested.has(material)) {
      this.part.digestNs += Math.ceil(bytes / PAGE_SIZE) * PAGE_SIZE * DIGEST_BYTE_NS;
    }
    this.#digested.add(material);
    return this.isVerified(material) ? LaunchStatus.success : LaunchStatus.materialDigest;
  }

  isVerified(material: number): boolean {
    return this.#digested.has(material) && this.setting.isIntact(material);
  }
}
