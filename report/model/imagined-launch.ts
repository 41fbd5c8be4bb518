// SPDX-License-Identifier: Apache-2.0
// Launches that never were, for tests: a plan's facts, and the receipt that the boot domain would
// have written had its domains behaved as imagined. Ticks are microseconds.

import fc from "fast-check";
import { LaunchStatus } from "../../contract/receipt.js";
import type { DomainReceipt, ReceiptPart } from "../../xen-model/receipt.js";
import type { OnFailure, PlanFacts, Readiness } from "./plan-facts.js";

export interface ImaginedDomain {
  readonly name: string;
  /** Indexes of those that it waits for, all lower than its own. */
  readonly after: readonly number[];
  readonly readiness: Readiness;
  /** Ticks from its start to its readiness; null: it never is ready. */
  readonly readyAfter: number | null;
  readonly onFailure: OnFailure;
  /** Ticks of its steps. */
  readonly make: number;
  readonly tell: number;
  readonly start: number;
}

export interface ImaginedLaunch {
  readonly facts: PlanFacts;
  readonly part: ReceiptPart;
}

/** Milliseconds in which every domain must be ready. */
const WITHIN = 5;
const ACCEPT = 30;
const EXIT = 20;

type Writable<Record> = { -readonly [Key in keyof Record]: Record[Key] };

const neverBeen: Omit<DomainReceipt, "name" | "domid"> = {
  ...{
    state: "absent",
    createdAt: 0,
    startedAt: 0,
    readyAt: 0,
    signalledAt: 0,
    endedAt: 0,
    destroyedAt: 0,
  },
  ...{ endReason: 0, status: 0, operation: 0, error: 0 },
};

export function factsOfImagined(domains: readonly ImaginedDomain[]): PlanFacts {
  const steps = (["make", "tell", "start"] as const).flatMap((kind) =>
    domains.map(({ after }, domain) => {
      const guards = kind === "start" ? after : [];
      return { domain, kind, guards, firstOperation: 0, operations: [] };
    }),
  );
  return {
    domains: domains.map(({ name, readiness, onFailure }, index) => {
      const readyWithin = readiness === "started" ? 0 : WITHIN;
      return { name, domid: index + 1, readiness, readyWithin, onFailure };
    }),
    steps,
    materialOffsets: [],
  };
}

/** Lets the boot domain execute the launch from tick `beganAt` on. */
export function imagine(domains: readonly ImaginedDomain[], beganAt = 1000): ImaginedLaunch {
  const facts = factsOfImagined(domains);
  const records = domains.map(
    ({ name }, index): Writable<DomainReceipt> => ({ ...neverBeen, name, domid: index + 1 }),
  );
  const steps = facts.steps.map(() => ({ beganAt: 0, endedAt: 0 }));
  const open = new Set(facts.steps.keys());
  let now = beganAt + ACCEPT;
  let waitTicks = 0;
  let failedDomain = 0;

  const newsAt = (index: number): number => {
    const { readyAfter } = domains[index] ?? {};
    const record = records[index];
    if (record?.state !== "started" || record.readyAt !== 0) return Number.POSITIVE_INFINITY;
    return record.startedAt + Math.min(readyAfter ?? Number.POSITIVE_INFINITY, WITHIN * 1000);
  };
  const skip = (index: number, state: "failed" | "skipped"): void => {
    const record = records[index];
    if (record === undefined) return;
    record.state = state;
    if (record.createdAt !== 0) record.destroyedAt = now++;
    for (const step of [...open]) if (facts.steps[step]?.domain === index) open.delete(step);
    for (const [other, { after }] of domains.entries()) {
      if (after.includes(index) && records[other]?.state === "created") skip(other, "skipped");
    }
  };
  const takeNews = (): void => {
    for (const [index, record] of records.entries()) {
      const at = newsAt(index);
      if (at > now) continue;
      const { readyAfter, onFailure } = domains[index] ?? {};
      if (readyAfter != null && readyAfter <= WITHIN * 1000) {
        record.readyAt = now;
      } else if (onFailure === "continue") {
        record.status = LaunchStatus.late;
        skip(index, "failed");
      } else {
        failedDomain ||= index + 1;
      }
    }
  };
  const run = (index: number): void => {
    const step = facts.steps[index];
    const [domain, record] = [domains[step?.domain ?? 0], records[step?.domain ?? 0]];
    if (step === undefined || domain === undefined || record === undefined) return;
    const times = { beganAt: now, endedAt: now + domain[step.kind] };
    steps[index] = times;
    now = times.endedAt;
    open.delete(index);
    if (step.kind === "make") Object.assign(record, { state: "created", createdAt: times.beganAt });
    if (step.kind !== "start") return;
    Object.assign(record, { state: "started", startedAt: times.beganAt });
    if (domain.readiness === "started") record.readyAt = times.beganAt;
  };

  for (;;) {
    takeNews();
    if (failedDomain !== 0) break;
    const next = [...open].find((index) =>
      facts.steps[index]?.guards.every((guard) => records[guard]?.readyAt !== 0),
    );
    if (next !== undefined) {
      run(next);
      continue;
    }
    const news = Math.min(...records.map((_, index) => newsAt(index)));
    if (news === Number.POSITIVE_INFINITY) break;
    waitTicks += news - now;
    now = news;
  }
  if (failedDomain !== 0) {
    for (const record of records.toReversed()) {
      if (record.createdAt === 0 || record.destroyedAt !== 0) continue;
      Object.assign(record, { state: "destroyed", destroyedAt: now++ });
    }
    Object.assign(records[failedDomain - 1] ?? {}, { status: LaunchStatus.late });
  }
  const status = failedDomain === 0 ? LaunchStatus.success : LaunchStatus.late;
  const part: ReceiptPart = {
    ...{ status, step: 0, operation: 0, domain: failedDomain, error: 0 },
    ...{ verifiedBy: 0, launchVersion: 0, clockKilohertz: 1000, beganAt, endedAt: now + EXIT },
    ...{ digestTicks: 0, populateTicks: 0, copyTicks: 0, clearTicks: 0, waitTicks },
    ...{ planDigest: "0".repeat(64), domains: records, steps },
  };
  return { facts, part };
}

/** Up to a dozen domains in any order, of which some are never ready. */
export const imaginedDomains: fc.Arbitrary<readonly ImaginedDomain[]> = fc
  .array(
    fc.record({
      picks: fc.array(fc.nat(11), { maxLength: 3 }),
      readiness: fc.constantFrom<Readiness>("started", "signalled", "finished"),
      readyAfter: fc.option(fc.integer({ min: 1, max: 6000 }), { freq: 8 }),
      onFailure: fc.constantFrom<OnFailure>("abort", "continue"),
      make: fc.integer({ min: 1, max: 900 }),
      tell: fc.integer({ min: 1, max: 20 }),
      start: fc.integer({ min: 1, max: 20 }),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((drawn) =>
    drawn.map(({ picks, ...domain }, index) => ({
      ...domain,
      name: `d${index}`,
      after: [...new Set(picks.filter((pick) => pick < index))],
    })),
  );
