// SPDX-License-Identifier: Apache-2.0
// The launch receipt as a value: decoded from the boot domain's memory, or read from the lines that
// it prints. Both forms say the same.

import {
  DomainState,
  LaunchStatus,
  RECEIPT_MAGIC,
  RECEIPT_VERSION,
  ReceiptDomain,
  ReceiptHeader,
  ReceiptStep,
} from "../contract/receipt.js";

/** States of a domain, by their numbers. */
export const domainStates = {
  absent: DomainState.absent,
  created: DomainState.created,
  started: DomainState.started,
  destroyed: DomainState.destroyed,
  failed: DomainState.failed,
  skipped: DomainState.skipped,
  finished: DomainState.finished,
} as const;

export type DomainStateName = keyof typeof domainStates;

/** Names of the launch statuses, by number. */
const statusNames: Readonly<Record<number, string>> = {
  [LaunchStatus.success]: "success",
  [LaunchStatus.imageTruncated]: "imageTruncated",
  [LaunchStatus.imageMagic]: "imageMagic",
  [LaunchStatus.imageVersion]: "imageVersion",
  [LaunchStatus.imageTarget]: "imageTarget",
  [LaunchStatus.imageMalformed]: "imageMalformed",
  [LaunchStatus.planDigest]: "planDigest",
  [LaunchStatus.planMalformed]: "planMalformed",
  [LaunchStatus.materialDigest]: "materialDigest",
  [LaunchStatus.hypercall]: "hypercall",
  [LaunchStatus.outOfOrder]: "outOfOrder",
  [LaunchStatus.stalled]: "stalled",
  [LaunchStatus.policy]: "policy",
  [LaunchStatus.signature]: "signature",
  [LaunchStatus.launchVersion]: "launchVersion",
  [LaunchStatus.ended]: "ended",
  [LaunchStatus.late]: "late",
};

/** A launch status in words: its name in contract/receipt.ts, or its number. */
export function launchStatusName(status: number): string {
  return statusNames[status] ?? `status ${status}`;
}

/** What became of one domain; times are ticks of the boot domain's clock, 0 for never. */
export interface DomainReceipt {
  readonly name: string;
  readonly domid: number;
  readonly state: DomainStateName;
  readonly createdAt: number;
  readonly startedAt: number;
  readonly signalledAt: number;
  readonly readyAt: number;
  /** When it ended by itself, and how: SHUTDOWN_*. */
  readonly endedAt: number;
  readonly destroyedAt: number;
  readonly endReason: number;
  /** Why it failed, a LaunchStatus, with number of the operation and errno; 0: it did not. */
  readonly status: number;
  readonly operation: number;
  readonly error: number;
}

/** When a step ran; 0 for never. */
export interface StepReceipt {
  readonly beganAt: number;
  readonly endedAt: number;
}

/** What a plan did; times are ticks of the boot domain's clock, a millisecond has clockKilohertz. */
export interface ReceiptPart {
  readonly status: number;
  readonly step: number;
  readonly operation: number;
  readonly domain: number;
  readonly error: number;
  /** Number of the trusted key that signed the plan, from 1; 0: it is not verified. */
  readonly verifiedBy: number;
  readonly launchVersion: number;
  readonly clockKilohertz: number;
  readonly beganAt: number;
  readonly endedAt: number;
  readonly digestTicks: number;
  readonly populateTicks: number;
  readonly copyTicks: number;
  readonly clearTicks: number;
  readonly waitTicks: number;
  /** SHA-256 of the plan, hexadecimal. */
  readonly planDigest: string;
  /** In the order of the plan, as are the steps. */
  readonly domains: readonly DomainReceipt[];
  readonly steps: readonly StepReceipt[];
}

/** A launch: of the plan that ran last. */
export interface Receipt extends ReceiptPart {
  /** The main plan's part, if the recovery plan ran in its place. */
  readonly main?: ReceiptPart;
}

/** Decodes the binary form, contract/receipt.ts. Throws when it is none: only domb writes it. */
export function decodeReceipt(bytes: Uint8Array): Receipt {
  const { part, end } = decodePart(bytes);
  if (!beginsPart(bytes.subarray(end))) return part;
  return { ...decodePart(bytes.subarray(end)).part, main: part };
}

/** Size of the binary form. */
export function receiptBytes(receipt: Receipt): number {
  const parts = receipt.main === undefined ? [receipt] : [receipt.main, receipt];
  return parts.reduce(
    (sum, { domains, steps }) =>
      sum +
      ReceiptHeader.size +
      domains.length * ReceiptDomain.size +
      steps.length * ReceiptStep.size,
    0,
  );
}

function beginsPart(bytes: Uint8Array): boolean {
  if (bytes.length < ReceiptHeader.size) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return view.getUint32(ReceiptHeader.magic, true) === RECEIPT_MAGIC;
}

function decodePart(bytes: Uint8Array): { readonly part: ReceiptPart; readonly end: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const u32 = (offset: number): number => view.getUint32(offset, true);
  const ticks = (offset: number): number => Number(view.getBigUint64(offset, true));
  if (!beginsPart(bytes) || u32(ReceiptHeader.version) !== RECEIPT_VERSION) {
    throw new Error("not a launch receipt of this version");
  }
  const stepsAt = ReceiptHeader.size + u32(ReceiptHeader.domains) * ReceiptDomain.size;
  const steps = u32(ReceiptHeader.steps);
  const planDigest = bytes.subarray(ReceiptHeader.planDigest, ReceiptHeader.planDigest + 32);
  const part = {
    status: u32(ReceiptHeader.status),
    step: u32(ReceiptHeader.step),
    operation: u32(ReceiptHeader.operation),
    domain: u32(ReceiptHeader.domain),
    error: u32(ReceiptHeader.error),
    verifiedBy: u32(ReceiptHeader.verifiedBy),
    launchVersion: u32(ReceiptHeader.launchVersion),
    clockKilohertz: u32(ReceiptHeader.clockKilohertz),
    beganAt: ticks(ReceiptHeader.beganAt),
    endedAt: ticks(ReceiptHeader.endedAt),
    digestTicks: ticks(ReceiptHeader.digestTicks),
    populateTicks: ticks(ReceiptHeader.populateTicks),
    copyTicks: ticks(ReceiptHeader.copyTicks),
    clearTicks: ticks(ReceiptHeader.clearTicks),
    waitTicks: ticks(ReceiptHeader.waitTicks),
    planDigest: Buffer.from(planDigest).toString("hex"),
    domains: Array.from({ length: u32(ReceiptHeader.domains) }, (_, index) => {
      const record = ReceiptHeader.size + index * ReceiptDomain.size;
      const name = bytes.subarray(record + ReceiptDomain.name, record + ReceiptDomain.createdAt);
      return {
        name: Buffer.from(name).toString("latin1").replace(/\0+$/, ""),
        domid: u32(record + ReceiptDomain.domid),
        state: stateOf(u32(record + ReceiptDomain.state)),
        createdAt: ticks(record + ReceiptDomain.createdAt),
        startedAt: ticks(record + ReceiptDomain.startedAt),
        signalledAt: ticks(record + ReceiptDomain.signalledAt),
        readyAt: ticks(record + ReceiptDomain.readyAt),
        endedAt: ticks(record + ReceiptDomain.endedAt),
        destroyedAt: ticks(record + ReceiptDomain.destroyedAt),
        endReason: u32(record + ReceiptDomain.endReason),
        status: u32(record + ReceiptDomain.status),
        operation: u32(record + ReceiptDomain.operation),
        error: u32(record + ReceiptDomain.error),
      };
    }),
    steps: Array.from({ length: steps }, (_, index) => {
      const record = stepsAt + index * ReceiptStep.size;
      const [beganAt, endedAt] = [ReceiptStep.beganAt, ReceiptStep.endedAt];
      return { beganAt: ticks(record + beganAt), endedAt: ticks(record + endedAt) };
    }),
  };
  return { part, end: stepsAt + steps * ReceiptStep.size };
}

function stateOf(found: number): DomainStateName {
  const entries = Object.entries(domainStates) as [DomainStateName, number][];
  return entries.find(([, number]) => number === found)?.[0] ?? "absent";
}

/** Lines that the boot domain prints of a plan, in this order. */
export const receiptLines = {
  domain:
    /^domb: domain \d+ (?<name>\S+) d(?<domid>\d+) (?<state>\w+) reason (?<endReason>\d+) status (?<status>\d+) operation (?<operation>\d+) error (?<error>\d+) times (?<times>[\d ]+)$/,
  steps: /^domb: steps from (?<first>\d+) times (?<times>[\d ]+)$/,
  plan: /^domb: plan verified (?<verifiedBy>\d+) version (?<launchVersion>\d+) kHz (?<clockKilohertz>\d+) digest (?<planDigest>[0-9a-f]{64})$/,
  launch:
    /^domb: launch status (?<status>\d+) step (?<step>\d+) operation (?<operation>\d+) domain (?<domain>\d+) error (?<error>\d+) times (?<times>[\d ]+)$/,
} as const;

/** Reads the printed form; undefined when the lines of no plan are among the lines. */
export function parseReceiptLines(lines: readonly string[]): Receipt | undefined {
  const parts: ReceiptPart[] = [];
  let domains: DomainReceipt[] = [];
  let steps: StepReceipt[] = [];
  let plan: Record<string, string> = {};
  for (const line of lines) {
    const domain = receiptLines.domain.exec(line)?.groups;
    if (domain !== undefined) domains.push(parseDomain(domain));
    const some = receiptLines.steps.exec(line)?.groups;
    if (some !== undefined) steps.push(...parseSteps(some));
    plan = receiptLines.plan.exec(line)?.groups ?? plan;
    const launch = receiptLines.launch.exec(line)?.groups;
    if (launch === undefined) continue;
    parts.push({ ...parseLaunch(launch, plan), domains, steps });
    domains = [];
    steps = [];
    plan = {};
  }
  const last = parts.at(-1);
  const [main] = parts;
  if (last === undefined || main === undefined || main === last) return last;
  return { ...last, main };
}

function numbersIn(text = ""): readonly number[] {
  return text.split(" ").map(Number);
}

function parseDomain(groups: Record<string, string>): DomainReceipt {
  const [createdAt = 0, startedAt = 0, signalledAt = 0, readyAt = 0, endedAt = 0, destroyedAt = 0] =
    numbersIn(groups.times);
  return {
    name: groups.name ?? "",
    domid: Number(groups.domid),
    state: groups.state as DomainStateName,
    ...{ createdAt, startedAt, signalledAt, readyAt, endedAt, destroyedAt },
    endReason: Number(groups.endReason),
    status: Number(groups.status),
    operation: Number(groups.operation),
    error: Number(groups.error),
  };
}

function parseSteps(groups: Record<string, string>): readonly StepReceipt[] {
  const times = numbersIn(groups.times);
  return Array.from({ length: times.length / 2 }, (_, index) => ({
    beganAt: times[2 * index] ?? 0,
    endedAt: times[2 * index + 1] ?? 0,
  }));
}

function parseLaunch(
  launch: Record<string, string>,
  plan: Record<string, string>,
): Omit<ReceiptPart, "domains" | "steps"> {
  const [
    beganAt = 0,
    endedAt = 0,
    digestTicks = 0,
    populateTicks = 0,
    copyTicks = 0,
    clearTicks = 0,
    waitTicks = 0,
  ] = numbersIn(launch.times);
  return {
    status: Number(launch.status),
    step: Number(launch.step),
    operation: Number(launch.operation),
    domain: Number(launch.domain),
    error: Number(launch.error),
    verifiedBy: Number(plan.verifiedBy),
    launchVersion: Number(plan.launchVersion),
    clockKilohertz: Number(plan.clockKilohertz),
    ...{ beganAt, endedAt, digestTicks, populateTicks, copyTicks, clearTicks, waitTicks },
    planDigest: plan.planDigest ?? "",
  };
}

const times = /(?:At|Ticks)$/;

/** The receipt without its times: what two launches of one image have in common. */
export function withoutTimes(receipt: Receipt): object {
  return JSON.parse(
    JSON.stringify(receipt, (key, value) =>
      times.test(key) || key === "clockKilohertz" || key === "steps" ? undefined : value,
    ),
  );
}
