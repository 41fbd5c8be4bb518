// SPDX-License-Identifier: Apache-2.0
// A plan as the picture of a launch needs it: what each step is for and what it waits for.

import type { Plan, PlanDomain, PlanOperation } from "../../compiler/plan/plan.js";

/** When a domain counts as ready, so that those that wait for it may start. */
export type Readiness = PlanDomain["readiness"];

/** What the launch does when a domain fails. */
export type OnFailure = PlanDomain["onFailure"];

export interface DomainFacts {
  readonly name: string;
  readonly domid: number;
  readonly readiness: Readiness;
  /** Milliseconds in which it must be ready; 0 where it is when it has started. */
  readonly readyWithin: number;
  readonly onFailure: OnFailure;
}

/** make: the domain is created and filled. tell: it gets what is its own. start: it is started. */
export type StepKind = "make" | "tell" | "start";

export interface StepFacts {
  /** Index of its domain. */
  readonly domain: number;
  readonly kind: StepKind;
  /** Indexes of the domains that must be ready first. */
  readonly guards: readonly number[];
  /** Index of its first operation in the plan's table. */
  readonly firstOperation: number;
  readonly operations: readonly PlanOperation[];
}

/** A plan's domains and steps, in its order; indexes count from 0. */
export interface PlanFacts {
  readonly domains: readonly DomainFacts[];
  readonly steps: readonly StepFacts[];
  /** Where each material lies in the image, in bytes. */
  readonly materialOffsets: readonly number[];
}

export function factsOf(plan: Plan): PlanFacts {
  return {
    domains: plan.domains.map(({ name, domid, readiness, readyWithin, onFailure }) => {
      return { name, domid, readiness, readyWithin, onFailure };
    }),
    steps: plan.steps.map((step) => {
      const { domain, firstOperation, operationCount, firstGuard, guardCount } = step;
      const operations = plan.operations.slice(firstOperation, firstOperation + operationCount);
      const guards = plan.guards.slice(firstGuard, firstGuard + guardCount);
      return { domain, kind: kindOf(operations), guards, firstOperation, operations };
    }),
    materialOffsets: plan.materials.map(({ offset }) => offset),
  };
}

function kindOf(operations: readonly PlanOperation[]): StepKind {
  if (operations.some(({ kind }) => kind === "createDomain")) return "make";
  return operations.some(({ kind }) => kind === "start") ? "start" : "tell";
}
