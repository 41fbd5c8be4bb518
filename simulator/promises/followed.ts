// SPDX-License-Identifier: Apache-2.0
// What is known of a launch that was followed hypercall by hypercall: what its receipt must say.

import type { Plan } from "../../compiler/plan/plan.js";
import type { DomainStateName } from "../../xen-model/receipt.js";

/** A time between two hypercalls, in nanoseconds: from the one's end to the other's beginning. */
export interface Moment {
  readonly fromNs: number;
  toNs: number;
}

/** What must have become of one domain; moments that never came are undefined. */
export interface FollowedDomain {
  state: DomainStateName;
  createdAt: Moment | undefined;
  startedAt: Moment | undefined;
  signalledAt: Moment | undefined;
  readyAt: Moment | undefined;
  endedAt: Moment | undefined;
  destroyedAt: Moment | undefined;
  endReason: number;
  status: number;
  operation: number;
  error: number;
}

export interface FollowedStep {
  beganAt: Moment | undefined;
  endedAt: Moment | undefined;
}

/** A sleep, and the steps that were not done: each with the domains that it still waited for. */
export interface FollowedSleep {
  readonly fromNs: number;
  readonly toNs: number;
  readonly open: readonly (readonly number[])[];
}

/** One plan that ran, or that was refused: then without domains and steps. */
export interface FollowedPart {
  /** Undefined: it was refused. */
  readonly plan: Plan | undefined;
  readonly signedBy: number;
  readonly planDigest: string;
  readonly launchVersion: number;
  status: number;
  step: number;
  operation: number;
  domain: number;
  error: number;
  beganAt: Moment | undefined;
  endedAt: Moment | undefined;
  digestNs: number;
  populateNs: number;
  copyNs: number;
  clearNs: number;
  waitNs: number;
  readonly domains: readonly FollowedDomain[];
  readonly steps: readonly FollowedStep[];
  readonly sleeps: FollowedSleep[];
}

/** A part of which nothing has happened yet. */
export function newPart(
  examined: Pick<FollowedPart, "plan" | "signedBy" | "planDigest" | "launchVersion">,
): FollowedPart {
  const { plan, signedBy, planDigest, launchVersion } = examined;
  return {
    ...{ plan, signedBy, planDigest, launchVersion },
    ...{ status: 0, step: 0, operation: 0, domain: 0, error: 0 },
    ...{ beganAt: undefined, endedAt: undefined },
    ...{ digestNs: 0, populateNs: 0, copyNs: 0, clearNs: 0, waitNs: 0 },
    domains: (plan?.domains ?? []).map(() => ({
      ...{ state: "absent", createdAt: undefined, startedAt: undefined, signalledAt: undefined },
      ...{ readyAt: undefined, endedAt: undefined, destroyedAt: undefined },
      ...{ endReason: 0, status: 0, operation: 0, error: 0 },
    })),
    steps: (plan?.steps ?? []).map(() => ({ beganAt: undefined, endedAt: undefined })),
    sleeps: [],
  };
}
