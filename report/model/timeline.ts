// SPDX-License-Identifier: Apache-2.0
// When a plan's run did what: the boot domain's activities one after the other, its waits, and each
// domain's life. Times are nanoseconds since the boot domain began with the plan.

import {
  type DomainReceipt,
  type DomainStateName,
  launchStatusName,
  type ReceiptPart,
} from "../../xen-model/receipt.js";
import type { PlanFacts, StepKind } from "./plan-facts.js";

export interface Span {
  readonly beganNs: number;
  readonly endedNs: number;
}

/**
 * accept: reads and verifies the plan. destroy: destroys one domain, and the launch goes on. exit:
 * writes the receipt and goes. undo: destroys what was made, then exits.
 */
export type ActivityKind = "accept" | StepKind | "destroy" | "exit" | "undo";

/** Something that the boot domain did; it does one thing at a time. */
export interface Activity extends Span {
  readonly kind: ActivityKind;
  /** Number of the step, from 1; 0: it is none. */
  readonly step: number;
  /** Index of the domain that it is about; undefined where it is about all. */
  readonly domain: number | undefined;
  /** Whether an operation of the step failed. */
  readonly failed: boolean;
}

/** The boot domain had nothing to do until one of these domains was ready, or could not be. */
export interface Wait extends Span {
  /** Indexes of the domains that were awaited when it began. */
  readonly awaited: readonly number[];
  /** Index of the activity that it ended with. */
  readonly before: number;
}

/** A domain's life; null for what never was. */
export interface DomainLife {
  readonly name: string;
  readonly domid: number;
  readonly state: DomainStateName;
  /** Name of the LaunchStatus by which it failed; null: it did not. */
  readonly failure: string | null;
  readonly createdNs: number | null;
  readonly startedNs: number | null;
  readonly readyNs: number | null;
  /** When it shut down itself. */
  readonly endedNs: number | null;
  readonly destroyedNs: number | null;
  /** From its start until it was ready or the boot domain gave it up; null if it had none. */
  readonly readiness: Span | null;
}

export interface Timeline {
  readonly durationNs: number;
  /** In the order of time; the first is accept, the last exit or undo. */
  readonly activities: readonly Activity[];
  readonly waits: readonly Wait[];
  readonly domains: readonly DomainLife[];
}

/** Draws the timeline of a run out of its receipt. */
export function timelineOf(facts: PlanFacts, part: ReceiptPart): Timeline {
  const durationNs = nanosecondsOf(part, part.endedAt) ?? 0;
  const lives = facts.domains.map(({ name, domid }, index) =>
    lifeOf(name, domid, part, part.domains[index]),
  );
  const steps = stepsOf(facts, part, lives, durationNs);
  const lastStepNs = steps.at(-1)?.endedNs ?? durationNs;
  const givenUp = (index: number): number => givenUpNs(facts, lives, index, durationNs);
  const undoneNs = undoBeginsNs(part, lastStepNs, givenUp);
  const domains = lives.map((life, index): DomainLife => {
    const endedNs = Math.min(givenUp(index), undoneNs);
    const { startedNs } = life;
    const awaited = facts.domains[index]?.readiness !== "started" && startedNs !== null;
    const readiness = awaited && endedNs > startedNs ? { beganNs: startedNs, endedNs } : null;
    return { ...life, readiness };
  });
  const ofNoStep = { step: 0, domain: undefined, failed: false };
  const end = part.status === 0 ? "exit" : "undo";
  const work = withDestroys(facts, steps, domains);
  const lastWorkNs = work.at(-1)?.endedNs ?? durationNs;
  const lastNewsNs = Math.max(lastWorkNs, ...domains.map((one) => one.readiness?.endedNs ?? 0));
  const activities: readonly Activity[] = [
    { kind: "accept", ...ofNoStep, beganNs: 0, endedNs: work[0]?.beganNs ?? durationNs },
    ...work,
    {
      kind: end,
      ...ofNoStep,
      beganNs: Math.max(lastWorkNs, Math.min(lastNewsNs, undoneNs)),
      endedNs: durationNs,
    },
  ];
  return { durationNs, activities, waits: waitsOf(facts, domains, activities), domains };
}

/** Ticks of the boot domain's clock as nanoseconds since the run began; null for 0, never. */
function nanosecondsOf({ beganAt, endedAt, clockKilohertz }: ReceiptPart, at: number) {
  if (at === 0) return null;
  const since = Math.min(Math.max(at, beganAt), Math.max(endedAt, beganAt)) - beganAt;
  return Math.round((since / clockKilohertz) * 1e6);
}

type Life = Omit<DomainLife, "readiness">;

function lifeOf(
  name: string,
  domid: number,
  part: ReceiptPart,
  record: DomainReceipt | undefined,
): Life {
  const at = (time: number | undefined) => nanosecondsOf(part, time ?? 0);
  const failed = record?.status ?? 0;
  return {
    ...{ name, domid, state: record?.state ?? "absent" },
    failure: failed === 0 ? null : launchStatusName(failed),
    createdNs: at(record?.createdAt),
    startedNs: at(record?.startedAt),
    readyNs: at(record?.readyAt),
    endedNs: at(record?.endedAt),
    destroyedNs: at(record?.destroyedAt),
  };
}

function stepsOf(
  facts: PlanFacts,
  part: ReceiptPart,
  lives: readonly Life[],
  durationNs: number,
): readonly Activity[] {
  const begun = part.steps
    .flatMap(({ beganAt, endedAt }, index) => {
      const [step, beganNs] = [facts.steps[index], nanosecondsOf(part, beganAt)];
      if (step === undefined || beganNs === null) return [];
      return [{ ...step, number: index + 1, beganNs, endedNs: nanosecondsOf(part, endedAt) }];
    })
    .sort((a, b) => a.beganNs - b.beganNs || a.number - b.number);
  return begun.map(({ number, beganNs, endedNs, ...step }, index) => {
    const { kind, domain, operations, firstOperation } = step;
    // A step that failed may have no end: then it ends with its domain, or where the next begins.
    const next = begun[index + 1]?.beganNs ?? durationNs;
    const end = Math.min(endedNs ?? lives[domain]?.destroyedNs ?? next, next);
    const failed = hasFailed(part.domains[domain], operations, firstOperation);
    return { kind, step: number, domain, failed, beganNs, endedNs: Math.max(beganNs, end) };
  });
}

/** Whether the operation that a domain failed with is one of these. */
function hasFailed(
  record: DomainReceipt | undefined,
  operations: readonly unknown[],
  firstOperation: number,
): boolean {
  const { status = 0, operation = 0 } = record ?? {};
  const index = operation - 1 - firstOperation;
  return status !== 0 && index >= 0 && index < operations.length;
}

/**
 * The steps, and between them the destroying of domains without which the launch went on. A receipt
 * says when that began: it took until the next thing, unless that had to wait for news.
 */
function withDestroys(
  facts: PlanFacts,
  steps: readonly Activity[],
  domains: readonly DomainLife[],
): readonly Activity[] {
  const destroys = domains.flatMap(({ state, destroyedNs }, domain): Activity[] => {
    if (destroyedNs === null || state === "destroyed") return [];
    const span = { beganNs: destroyedNs, endedNs: destroyedNs };
    return [{ kind: "destroy", step: 0, domain, failed: false, ...span }];
  });
  return [...steps, ...destroys]
    .sort((a, b) => a.beganNs - b.beganNs || a.endedNs - b.endedNs)
    .map((activity, index, all) => {
      const next = all[index + 1];
      if (activity.kind !== "destroy" || next === undefined) return activity;
      const isLater = (domain: number): boolean =>
        (domains[domain]?.readiness?.endedNs ?? 0) > activity.beganNs;
      const isDue = newsFor(facts, next, []).some(isLater);
      return isDue ? activity : { ...activity, endedNs: next.beganNs };
    });
}

/** When a domain that has started was ready, or was known not to become it. */
function givenUpNs(
  facts: PlanFacts,
  lives: readonly Life[],
  index: number,
  durationNs: number,
): number {
  const { readyNs, endedNs, startedNs, destroyedNs } = lives[index] ?? {};
  const lateNs = (startedNs ?? 0) + (facts.domains[index]?.readyWithin ?? 0) * 1e6;
  return readyNs ?? endedNs ?? Math.min(lateNs, destroyedNs ?? durationNs, durationNs);
}

/** When a run that fails turns to undoing what it did; never, if it does not fail. */
function undoBeginsNs(
  { status, operation, domain }: ReceiptPart,
  lastStepNs: number,
  givenUp: (index: number) => number,
): number {
  if (status === 0) return Number.POSITIVE_INFINITY;
  const isNews = operation === 0 && domain !== 0;
  return isNews ? Math.max(lastStepNs, givenUp(domain - 1)) : lastStepNs;
}

/** What lies between two activities is a wait if the second was due to news that came meanwhile. */
function waitsOf(
  facts: PlanFacts,
  domains: readonly DomainLife[],
  activities: readonly Activity[],
): readonly Wait[] {
  return activities.flatMap((next, before) => {
    const beganNs = activities[before - 1]?.endedNs ?? next.beganNs;
    const isAwaited = (domain: number): boolean => {
      const readiness = domains[domain]?.readiness;
      return readiness != null && readiness.beganNs <= beganNs && readiness.endedNs > beganNs;
    };
    const awaited = [...domains.keys()].filter(isAwaited);
    const due = newsFor(facts, next, awaited).some(isAwaited);
    if (next.beganNs <= beganNs || !due) return [];
    return [{ beganNs, endedNs: next.beganNs, awaited, before }];
  });
}

/** Indexes of the domains whose news an activity may have waited for; the last one's are `others`. */
export function newsFor(
  { steps }: PlanFacts,
  { step, kind, domain }: Activity,
  others: readonly number[],
): readonly number[] {
  if (kind === "exit" || kind === "undo") return others;
  if (kind !== "destroy" || domain === undefined) return steps[step - 1]?.guards ?? [];
  return [domain, ...steps.flatMap((one) => (one.domain === domain ? one.guards : []))];
}
