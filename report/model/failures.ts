// SPDX-License-Identifier: Apache-2.0
// What went wrong in a launch: of which step, operation and domain, why, and the command that lets
// it happen again in the simulator.

import type { PlanOperation } from "../../compiler/plan/plan.js";
import { POPULATE_BATCH } from "../../contract/limits.js";
import { LaunchStatus } from "../../contract/receipt.js";
import { errnoName } from "../../xen-model/errno.js";
import type { HypercallName } from "../../xen-model/hypercalls.js";
import type { ReceiptPart } from "../../xen-model/receipt.js";
import { launchStatusName } from "../../xen-model/receipt.js";
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

/** The hypercall that each kind of operation makes, and how many; verifying makes none. */
function hypercallsOf(operation: PlanOperation): readonly [name: HypercallName, count: number][] {
  switch (operation.kind) {
    case "verify":
      return [];
    case "populate":
      return [["populate", Math.ceil(operation.count / POPULATE_BATCH)]];
    case "openSignal":
      return [["openChannel", 1]];
    case "createPool":
      return [["changePool", 1]];
    case "moveCpu":
      return [["changePool", 2]];
    default:
      return [[operation.kind, 1]];
  }
}

/** Hypercalls by name, as far as they are of steps. */
export type HypercallCounts = ReadonlyMap<HypercallName, number>;

/** What happened before a run, so that its hypercalls can be counted on, and happens again. */
export interface Before {
  readonly counts: HypercallCounts;
  /** Faults, as the simulator takes them. */
  readonly faults: readonly string[];
}

const nothingBefore: Before = { counts: new Map(), faults: [] };

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
  imageFile: string,
  before: Before = nothingBefore,
): FailedRun {
  const executed = executedOperations(facts, part);
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
  const faults = [...before.faults, ...places.flatMap((place) => faultOf(place) ?? [])];
  const failures = places.map((place): Failure => {
    const { status, step, operation, domain, error, endedLaunch } = place;
    const name = facts.domains[domain - 1]?.name ?? null;
    const kind = operationAt(step, operation)?.kind ?? null;
    const errno = error === 0 ? null : errnoName(error);
    const repeats = faultOf(place) !== undefined;
    return {
      ...{ endedLaunch, status: launchStatusName(status), step, operation, operationKind: kind },
      ...{ domain: name, error: errno, reason: reasonOf(status, name, kind, errno) },
      command: repeats ? commandWith(imageFile, faults) : null,
      advice: repeats ? null : adviceFor(status),
    };
  });
  const counts = new Map(countOf(executed, before.counts));
  counts.set("drop", (counts.get("drop") ?? 0) + 1);
  return { failures, after: { counts, faults } };

  function operationAt(step: number, operation: number): PlanOperation | undefined {
    const found = facts.steps[step - 1];
    return found?.operations[operation - 1 - found.firstOperation];
  }

  type Place = Pick<ReceiptPart, "status" | "step" | "operation" | "error">;

  /** The fault that makes the simulator fail there, in its text form. */
  function faultOf({ status, step, operation, error }: Place): string | undefined {
    const isHypercall = status === LaunchStatus.hypercall && error !== 0;
    if (isHypercall && operation === 0 && executed.length === 0) {
      return `drop:${(before.counts.get("drop") ?? 0) + 1}=${errnoName(error)}`;
    }
    const found = operationAt(step, operation);
    const [name] = found === undefined ? [] : (hypercallsOf(found)[0] ?? []);
    if (!isHypercall || name === undefined) return undefined;
    const at = executed.findIndex((one) => one.step === step && one.operation === operation);
    const earlier = countOf(executed.slice(0, Math.max(at, 0)), before.counts);
    return `${name}:${(earlier.get(name) ?? 0) + 1}=${errnoName(error)}`;
  }
}

/** Numbers of step and operation, from 1, with the operation. */
interface Executed {
  readonly step: number;
  readonly operation: number;
  readonly content: PlanOperation;
}

/** The operations that a run executed, in their order; of a step that failed, those up to the failure. */
function executedOperations({ steps }: PlanFacts, part: ReceiptPart): readonly Executed[] {
  return part.steps
    .map(({ beganAt }, index) => ({ beganAt, index }))
    .filter(({ beganAt }) => beganAt !== 0)
    .sort((a, b) => a.beganAt - b.beganAt || a.index - b.index)
    .flatMap(({ index }) => {
      const { operations = [], firstOperation = 0, domain = 0 } = steps[index] ?? {};
      const failed = part.domains[domain]?.operation ?? 0;
      return operations
        .map((content, at) => {
          return { step: index + 1, operation: firstOperation + at + 1, content };
        })
        .filter(({ operation }) => {
          const isIn = failed > firstOperation && failed <= firstOperation + operations.length;
          return !isIn || operation <= failed;
        });
    });
}

function countOf(executed: readonly Executed[], before: HypercallCounts): HypercallCounts {
  const counts = new Map(before);
  for (const { content } of executed) {
    for (const [name, count] of hypercallsOf(content)) {
      counts.set(name, (counts.get(name) ?? 0) + count);
    }
  }
  return counts;
}

/** The step of a domain that has this operation, from 1; 0: none. */
function stepWith({ steps }: PlanFacts, domain: number, operation: number): number {
  return steps.findIndex((step) => step.domain === domain && has(step, operation)) + 1;
}

function commandWith(imageFile: string, faults: readonly string[]): string {
  return `domb simulate ${shellWord(imageFile)}${faults.map((fault) => ` --fault ${fault}`).join("")}`;
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
