// SPDX-License-Identifier: Apache-2.0
// The launch receipt as a value: decoded from the boot domain's memory, or read from the lines that
// it prints. Both forms say the same.

import {
  DomainState,
  RECEIPT_MAGIC,
  RECEIPT_VERSION,
  ReceiptDomain,
  ReceiptHeader,
} from "../contract/receipt.js";

/** What became of one domain; times are ticks of the boot domain's clock, 0 for never. */
export interface DomainReceipt {
  readonly domid: number;
  readonly state: "absent" | "created" | "started" | "destroyed";
  readonly createdAt: number;
  readonly startedAt: number;
}

/** A launch; times are ticks of the boot domain's clock, of which a millisecond has clockKilohertz. */
export interface Receipt {
  readonly status: number;
  readonly step: number;
  readonly operation: number;
  readonly domain: number;
  readonly error: number;
  /** Number of the trusted key that signed the plan, from 1; 0: it is not verified. */
  readonly verifiedBy: number;
  readonly launchVersion: number;
  /** Why the recovery plan ran, a LaunchStatus; 0: the main one did. */
  readonly recoveredFrom: number;
  readonly clockKilohertz: number;
  readonly beganAt: number;
  readonly endedAt: number;
  readonly digestTicks: number;
  readonly populateTicks: number;
  readonly copyTicks: number;
  readonly clearTicks: number;
  /** SHA-256 of the plan, hexadecimal. */
  readonly planDigest: string;
  /** In the order of the plan. */
  readonly domains: readonly DomainReceipt[];
}

const states: Readonly<Record<number, DomainReceipt["state"]>> = {
  [DomainState.absent]: "absent",
  [DomainState.created]: "created",
  [DomainState.started]: "started",
  [DomainState.destroyed]: "destroyed",
};

/** Decodes the binary form, contract/receipt.ts. Throws when it is none: only domb writes it. */
export function decodeReceipt(bytes: Uint8Array): Receipt {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const u32 = (offset: number): number => view.getUint32(offset, true);
  const ticks = (offset: number): number => Number(view.getBigUint64(offset, true));
  if (
    u32(ReceiptHeader.magic) !== RECEIPT_MAGIC ||
    u32(ReceiptHeader.version) !== RECEIPT_VERSION
  ) {
    throw new Error("not a launch receipt of this version");
  }
  const digest = bytes.subarray(ReceiptHeader.planDigest, ReceiptHeader.planDigest + 32);
  return {
    status: u32(ReceiptHeader.status),
    step: u32(ReceiptHeader.step),
    operation: u32(ReceiptHeader.operation),
    domain: u32(ReceiptHeader.domain),
    error: u32(ReceiptHeader.error),
    verifiedBy: u32(ReceiptHeader.verifiedBy),
    launchVersion: u32(ReceiptHeader.launchVersion),
    recoveredFrom: u32(ReceiptHeader.recoveredFrom),
    clockKilohertz: u32(ReceiptHeader.clockKilohertz),
    beganAt: ticks(ReceiptHeader.beganAt),
    endedAt: ticks(ReceiptHeader.endedAt),
    digestTicks: ticks(ReceiptHeader.digestTicks),
    populateTicks: ticks(ReceiptHeader.populateTicks),
    copyTicks: ticks(ReceiptHeader.copyTicks),
    clearTicks: ticks(ReceiptHeader.clearTicks),
    planDigest: [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join(""),
    domains: Array.from({ length: u32(ReceiptHeader.domains) }, (_, index) => {
      const record = ReceiptHeader.size + index * ReceiptDomain.size;
      return {
        domid: u32(record + ReceiptDomain.domid),
        state: states[u32(record + ReceiptDomain.state)] ?? "absent",
        createdAt: ticks(record + ReceiptDomain.createdAt),
        startedAt: ticks(record + ReceiptDomain.startedAt),
      };
    }),
  };
}

const domainLine = /^domb: domain \d+ \S+ d(\d+) (\w+) created (\d+) started (\d+)$/;
const planLine = /^domb: launch verified (\d+) version (\d+) recovered (\d+) plan ([0-9a-f]{64})$/;
const launchLine =
  /^domb: launch status (\d+) step (\d+) operation (\d+) domain (\d+) error (\d+) kHz (\d+) began (\d+) ended (\d+) digest (\d+) populate (\d+) copy (\d+) clear (\d+)$/;

/** Reads the printed form; undefined when the lines of the launch are not among the lines. */
export function parseReceiptLines(lines: readonly string[]): Receipt | undefined {
  const find = (pattern: RegExp) =>
    lines.map((line) => pattern.exec(line)).find((match) => match !== null);
  const [plan, launch] = [find(planLine), find(launchLine)];
  if (plan === undefined || launch === undefined) return undefined;
  const [verifiedBy = 0, launchVersion = 0, recoveredFrom = 0] = plan.slice(1, 4).map(Number);
  const numbers = launch.slice(1).map(Number);
  const [status = 0, step = 0, operation = 0, domain = 0, error = 0, clockKilohertz = 0] = numbers;
  const [
    beganAt = 0,
    endedAt = 0,
    digestTicks = 0,
    populateTicks = 0,
    copyTicks = 0,
    clearTicks = 0,
  ] = numbers.slice(6);
  const domains = lines.flatMap((line) => {
    const match = domainLine.exec(line);
    if (match === null) return [];
    const state = Object.values(states).find((known) => known === match[2]) ?? "absent";
    const [domid = 0, , createdAt = 0, startedAt = 0] = match.slice(1).map(Number);
    return [{ domid, state, createdAt, startedAt }];
  });
  return {
    ...{ status, step, operation, domain, error, verifiedBy, launchVersion, recoveredFrom },
    ...{ clockKilohertz, beganAt, endedAt, digestTicks, populateTicks, copyTicks, clearTicks },
    ...{ planDigest: plan[4] ?? "", domains },
  };
}

/** The receipt without its times: what two launches of one image have in common. */
export function withoutTimes(receipt: Receipt): object {
  const { status, step, operation, domain, error, planDigest, domains } = receipt;
  const { verifiedBy, launchVersion, recoveredFrom } = receipt;
  return {
    ...{ status, step, operation, domain, error, planDigest },
    ...{ verifiedBy, launchVersion, recoveredFrom },
    domains: domains.map(({ domid, state }) => ({ domid, state })),
  };
}
