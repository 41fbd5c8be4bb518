// SPDX-License-Identifier: Apache-2.0
// How much work a run of a plan is at most: what the boot domain does, whatever Xen answers. Every
// operation runs once at most for each step that holds it, a material is digested once; the rest is
// hearing of domains, the undoing, the receipt's lines and the exit.

import { ImageHeader, PlanHeader } from "../../contract/image.js";
import { PAGE_SIZE, POPULATE_BATCH } from "../../contract/limits.js";
import { STEPS_PER_LINE } from "../../contract/receipt.js";
import { SIGNATURE_BYTES, TRUSTED_KEYS } from "../../contract/trust.js";
import { timeOf, type Workload } from "../../xen-model/costs.js";
import type { Plan, PlanMaterial, PlanOperation, PlanStep } from "./plan.js";
import {
  domainLayout,
  guardLayout,
  materialLayout,
  operationKindLayout,
  stepLayout,
} from "./plan.js";

/** Upper bounds of the work of a launch, or of one of its steps. */
export interface Work extends Workload {
  /** Bytes that are digested, padding to whole blocks of 64 bytes included. */
  readonly digestBytes: number;
}

const none: Work = {
  ...{ hypercalls: 0, imageBytes: 0, digestBytes: 0 },
  ...{ populatedPages: 0, copiedPages: 0, clearedPages: 0 },
};

function add(one: Work, other: Work): Work {
  return {
    hypercalls: one.hypercalls + other.hypercalls,
    imageBytes: one.imageBytes + other.imageBytes,
    digestBytes: one.digestBytes + other.digestBytes,
    populatedPages: one.populatedPages + other.populatedPages,
    copiedPages: one.copiedPages + other.copiedPages,
    clearedPages: one.clearedPages + other.clearedPages,
  };
}

/**
 * Blocks that the verification of one signature digests at most: FORS trees with their roots, WOTS+
 * chains that are walked from their beginnings, their ends, paths; the message (FIPS 205, 5 to 9).
 */
const SIGNATURE_DIGEST_BYTES = 64 * (14 * 13 + 4 + 7 * (35 * 15 + 10 + 9) + 5);

/** Bytes of the blocks of a digest of so many bytes: one bit, 64 bits of length, and padding. */
function digested(bytes: number): number {
  return Math.ceil((bytes + 9) / 64) * 64;
}

function workOfOperation(operation: PlanOperation): Work {
  switch (operation.kind) {
    case "verify":
      return none;
    case "populate": {
      const populatedPages = operation.count * 2 ** operation.order;
      return { ...none, hypercalls: Math.ceil(operation.count / POPULATE_BATCH), populatedPages };
    }
    case "copy":
      return { ...none, hypercalls: 1, copiedPages: operation.count };
    case "clear":
      return { ...none, hypercalls: 1, clearedPages: operation.count };
    case "moveCpu":
      return { ...none, hypercalls: 2 };
    case "setContext":
      return { ...none, hypercalls: 1, imageBytes: PAGE_SIZE };
    default:
      return { ...none, hypercalls: 1 };
  }
}

function workOfMaterial({ bytes }: PlanMaterial): Work {
  const pages = Math.ceil(bytes / PAGE_SIZE);
  return { ...none, imageBytes: pages * PAGE_SIZE, digestBytes: digested(bytes) };
}

/** Upper bound of one step, if none before it has verified what it uses. */
export function workOfStep(plan: Plan, { firstOperation, operationCount }: PlanStep): Work {
  const operations = plan.operations.slice(firstOperation, firstOperation + operationCount);
  const verified = operations.flatMap((one) => (one.kind === "verify" ? [one.material] : []));
  const materials = [...new Set(verified)].flatMap((index) => plan.materials[index] ?? []);
  return [...operations.map(workOfOperation), ...materials.map(workOfMaterial)].reduce(add, none);
}

/**
 * How often the boot domain asks for news at most: before each step that runs or is left out, for
 * each of a domain's two pieces of news, and when it is late, twice each: the last answer is none.
 */
function mostQuestions(plan: Plan): number {
  const waits = plan.domains.some(({ readiness }) => readiness !== "started");
  return waits ? 2 * (plan.steps.length + 4 * plan.domains.length + 1) : 0;
}

/**
 * Upper bound of a whole launch: every step, and for each domain its label, its undoing and its
 * line; drop, the policy, the launch's lines, those of steps, exit. Of the launch that goes as it should: a main plan
 * that is refused in favour of another is not counted.
 */
export function workOfLaunch(plan: Plan): Work {
  const planBytes =
    PlanHeader.size +
    plan.domains.length * domainLayout.size +
    plan.materials.length * materialLayout.size +
    plan.steps.length * stepLayout.size +
    plan.guards.length * guardLayout.size +
    plan.operations.length * operationKindLayout.size;
  const labels = plan.domains.filter(({ label }) => label !== "").length;
  const hasPolicy = plan.policyBytes !== 0;
  const around: Work = {
    ...none,
    hypercalls:
      2 * plan.domains.length +
      labels +
      Math.ceil(plan.steps.length / STEPS_PER_LINE) +
      mostQuestions(plan) +
      (hasPolicy ? 6 : 5),
    imageBytes: ImageHeader.size + SIGNATURE_BYTES + planBytes,
    digestBytes:
      digested(planBytes) +
      TRUSTED_KEYS * SIGNATURE_DIGEST_BYTES +
      (hasPolicy ? digested(plan.policyBytes) : 0),
  };
  const operations = plan.steps.flatMap(({ firstOperation, operationCount }) =>
    plan.operations.slice(firstOperation, firstOperation + operationCount),
  );
  return [...operations.map(workOfOperation), ...plan.materials.map(workOfMaterial)].reduce(
    add,
    around,
  );
}

/** The step that takes longest on the model, from 1, and its virtual time in nanoseconds. */
export function longestStep(plan: Plan): { readonly step: number; readonly nanoseconds: number } {
  const times = plan.steps.map((step) => timeOf(workOfStep(plan, step)));
  const nanoseconds = Math.max(0, ...times);
  return { step: times.indexOf(nanoseconds) + 1, nanoseconds };
}
