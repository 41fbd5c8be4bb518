// SPDX-License-Identifier: Apache-2.0
// What went wrong in a launch: of which step, operation and domain, why, and the command that lets
// it happen again in the simulator.

import type { PlanOperation } from "../../compiler/plan/plan.js";
import { LaunchStatus } from "../../contract/receipt.js";
import { errnoName } from "../../xen-model/errno.js";
import type { ReceiptPart } from "../../xen-model/receipt.js";
import { launchStatusName } from "../../xen-model/receipt.js";
import type { PlanFacts } from "./plan-facts.js";
import { type Before, operationAt, Repetition } from "./repetition.js";

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

/** What each kind of operation asks of Xen; its domain's name follows. */
const requests: Readonly<Record<PlanOperation["kind"], string>> = {
  verify: "to verify a material of",
  createDomain: "to create",
  allocateVcpus: "to allocate the vCPUs of",
  setPagingPool: "to size the paging pool of",
  limitMemory: "to limit the memory of",
  populate: "to give memory to",
  copy: "to fill the memory of",
  clear: "to clear memory of",
  setContext: "to set the context of",
  start: "to start",
  openChannel: "to open an event channel of",
  openSignal: "to open the event channel for the signal of",
  grant: "to grant memory of",
  setAffinity: "to place the vCPUs of",
  setShare: "to set the CPU share of",
  createPool: "to create the CPU pool of",
  moveCpu: "to move a CPU to the pool of",
};

export interface FailedRun {
  /** Every failure: the one that ended the run first. */
  readonly failures: readonly Failure[];
  /** What a run after it begins with. */
  readonly after: Before;
}

/** What went wrong in a run; `before` is the run of another plan before it. */
export function failuresOf(
  facts: PlanFacts,
  part: ReceiptPart,
  simulate: string,
  before?: Before,
): FailedRun {
  const repetition = new Repetition(facts, part, before);
  const failed = part.status !== LaunchStatus.success;
  const places = [
    ...(failed ? [{ ...part, endedLaunch: true }] : []),
    ...part.domains.flatMap((record, index) => {
      const isTheLaunchs = failed && part.domain === index + 1;
      if (record.status === LaunchStatus.success || isTheLaunchs) return [];
      const step = stepWith(facts, index, record.operation);
      return [{ ...record, domain: index + 1, step, endedLaunch: false }];
    }),
  ];
  const options = [
    ...repetition.before.options,
    ...places.flatMap((place) => repetition.optionFor(place) ?? []),
  ];
  const failures = places.map((place): Failure => {
    const { status, step, operation, domain, error, endedLaunch } = place;
    const name = facts.domains[domain - 1]?.name ?? null;
    const kind = operationAt(facts, step, operation)?.kind ?? null;
    const errno = error === 0 ? null : errnoName(error);
    const repeats = repetition.optionFor(place) !== undefined;
    return {
      ...{ endedLaunch, status: launchStatusName(status), step, operation, operationKind: kind },
      ...{ domain: name, error: errno, reason: reasonOf(status, name, kind, errno) },
      command: repeats ? [simulate, ...options].join(" ") : null,
      advice: repeats ? null : adviceFor(status),
    };
  });
  return { failures, after: repetition.after(options) };
}

/** The step of a domain that has this operation, from 1; 0: none. */
function stepWith({ steps }: PlanFacts, domain: number, operation: number): number {
  return steps.findIndex((step) => step.domain === domain && has(step, operation)) + 1;
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
  if (status === LaunchStatus.ended) return `${domain} ended before it was ready`;
  if (status === LaunchStatus.late) return `${domain} was not ready in time`;
  if (status === LaunchStatus.hypercall) {
    const what = kind === null ? "what the launch needs" : `${requests[kind]} ${domain}`;
    return `Xen refused ${what}${errno === null ? "" : `: ${errno}`}`;
  }
  return launchStatusName(status);
}

function adviceFor(status: number): string {
  switch (status) {
    case LaunchStatus.ended:
      return "Another domain ended it: the simulator knows no such thing.";
    case LaunchStatus.signature:
    case LaunchStatus.launchVersion:
      return "`domb verify IMAGE --trust KEY.pub` says by which keys it is signed.";
    case LaunchStatus.policy:
      return "Give Xen the policy that the image is for: `domb explain IMAGE` has its digest.";
    default:
      return "`domb simulate IMAGE --trace` shows the launch as it should go.";
  }
}
