// SPDX-License-Identifier: Apache-2.0
// What went wrong in a launch: of which step, operation and domain, why, and the command that lets
// it happen again in the simulator.

import type { PlanOperation } from "../../compiler/plan/plan.js";
import { POPULATE_BATCH } from "../../contract/limits.js";
import { LaunchStatus } from "../../contract/receipt.js";
import { errnoName } from "../../xen-model/errno.js";
import { launchStatusName } from "../../xen-model/receipt.js";
import type { ReceiptPart } from "../receipt.js";
import type { PlanFacts } from "./plan-facts.js";

export interface Failure {
  /** Whether the launch ended with it; if not, it went on without the domain. */
  readonly endedLaunch: boolean;
  /** Name of the LaunchStatus. */
  readonly status: string;
  /** Number of the step, from 1; 0: none. */
  readonly step: number;
  /** Number of the operation, from 1; 0: none. */
  readonly operation: number;
  readonly operationKind: PlanOperation["kind"] | null;
  /** Name of the domain; null: none. */
  readonly domain: string | null;
  /** Name of Xen's errno; null: none. */
  readonly error: string | null;
  /** What happened, in one sentence. */
  readonly reason: string;
  /** What lets it happen again in the simulator; null where that takes more than the image. */
  readonly command: string | null;
  /** What to do where there is no command, in one sentence; null where there is one. */
  readonly advice: string | null;
}

/** What a status of a whole launch means, where its name and place do not say it. */
const reasons: Readonly<Partial<Record<number, string>>> = {
  [LaunchStatus.imageTruncated]: "the image was not all there",
  [LaunchStatus.imageMagic]: "what was given to the boot domain was no image",
  [LaunchStatus.imageVersion]: "the boot domain does not know the version of the image's format",
  [LaunchStatus.imageTarget]: "the image is for another architecture or another Xen",
  [LaunchStatus.imageMalformed]: "a field of the image's header is out of bounds",
  [LaunchStatus.planDigest]: "the plan's digest is not the one in the header",
  [LaunchStatus.planMalformed]: "a record of the plan is out of bounds",
  [LaunchStatus.materialDigest]: "a material's digest is not the one in the plan",
  [LaunchStatus.outOfOrder]: "an operation came before what it needs",
  [LaunchStatus.stalled]: "steps were left whose guards never held",
  [LaunchStatus.policy]: "Xen does not enforce the FLASK policy of the plan",
  [LaunchStatus.signature]: "no key that the boot domain trusts has signed the plan",
  [LaunchStatus.launchVersion]: "the plan is of an older launch than may run",
};

/** What the operation with this number asks of Xen; several hypercalls where it is large. */
function hypercallsOf(operation: PlanOperation | undefined): number {
  if (operation === undefined || operation.kind === "verify") return 0;
  return operation.kind === "populate" ? Math.ceil(operation.count / POPULATE_BATCH) : 1;
}

/** Every failure of a run: the one that ended it first. */
export function failuresOf(
  facts: PlanFacts,
  part: ReceiptPart,
  imageFile: string,
): readonly Failure[] {
  const ofLaunch = part.status === LaunchStatus.success ? [] : [describe(part, part.step, true)];
  const others = part.domains.flatMap((record, index) => {
    const isTheLaunchs = part.status !== LaunchStatus.success && part.domain === index + 1;
    if (record.status === LaunchStatus.success || isTheLaunchs) return [];
    const place = { ...record, domain: index + 1 };
    return [describe(place, stepOf(index, record.operation), false)];
  });
  return [...ofLaunch, ...others];

  type Place = Pick<ReceiptPart, "status" | "operation" | "domain" | "error">;

  function describe(
    { status, operation, domain, error }: Place,
    step: number,
    endedLaunch: boolean,
  ): Failure {
    const name = facts.domains[domain - 1]?.name ?? null;
    const kind = operationAt(step, operation)?.kind ?? null;
    const errno = error === 0 ? null : errnoName(error);
    const command = commandFor({ status, operation, domain, error }, step);
    return {
      ...{ endedLaunch, status: launchStatusName(status), step, operation, operationKind: kind },
      ...{ domain: name, error: errno, reason: reasonOf(status, name, kind, errno), command },
      advice: command === null ? adviceFor(status) : null,
    };
  }

  /** The domain's step that has the operation, from 1; 0: none. */
  function stepOf(domain: number, operation: number): number {
    if (operation === 0) return 0;
    return facts.steps.findIndex((step) => step.domain === domain && has(step, operation)) + 1;
  }

  function operationAt(step: number, operation: number): PlanOperation | undefined {
    const found = facts.steps[step - 1];
    return found?.operations[operation - 1 - found.firstOperation];
  }

  function commandFor({ status, operation, error }: Place, step: number): string | null {
    if (status !== LaunchStatus.hypercall) return null;
    const kind = operationAt(step, operation)?.kind;
    if (kind === undefined || kind === "verify" || error === 0) return null;
    const occurrence = hypercallsBefore(kind, step, operation) + 1;
    return `domb simulate ${shellWord(imageFile)} --fault ${kind}:${occurrence}=${errnoName(error)}`;
  }

  /** How many hypercalls of a kind the run had made before this operation. */
  function hypercallsBefore(kind: PlanOperation["kind"], step: number, operation: number): number {
    const beganAt = part.steps[step - 1]?.beganAt ?? 0;
    const earlier = facts.steps.flatMap(({ operations, firstOperation }, index) => {
      const began = part.steps[index]?.beganAt ?? 0;
      if (index === step - 1) return operations.slice(0, operation - 1 - firstOperation);
      const isEarlier = began !== 0 && (began < beganAt || (began === beganAt && index < step - 1));
      return isEarlier ? operations : [];
    });
    return earlier
      .filter((one) => one.kind === kind)
      .reduce((sum, one) => sum + hypercallsOf(one), 0);
  }
}

function has({ firstOperation, operations }: PlanFacts["steps"][number], operation: number) {
  return operation > firstOperation && operation <= firstOperation + operations.length;
}

function reasonOf(
  status: number,
  domain: string | null,
  kind: PlanOperation["kind"] | null,
  errno: string | null,
): string {
  const known = reasons[status];
  if (known !== undefined) return known;
  if (status === LaunchStatus.hypercall) {
    const what = kind === null ? "a hypercall" : `the ${kind} of ${domain}`;
    return `Xen refused ${what}${errno === null ? "" : ` with ${errno}`}`;
  }
  return launchStatusName(status);
}

function adviceFor(status: number): string {
  switch (status) {
    case LaunchStatus.materialDigest:
      return "The image is intact here: it was damaged on its way to the host.";
    case LaunchStatus.signature:
    case LaunchStatus.launchVersion:
      return "`domb verify IMAGE --trust KEY.pub` says by which keys it is signed.";
    case LaunchStatus.policy:
      return "Give Xen the policy that the image is for: `domb explain IMAGE` has its digest.";
    default:
      return "`domb simulate IMAGE --trace` shows the launch as it should go.";
  }
}

/** A word as a POSIX shell takes it. */
export function shellWord(word: string): string {
  return /^[\w./:=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
