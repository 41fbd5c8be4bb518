// SPDX-License-Identifier: Apache-2.0
// When a plan's run did what: the boot domain's activities one after the other, its waits, and each
// domain's life. Times are nanoseconds since the boot domain began with the plan.

import type { DomainReceipt, DomainState, ReceiptPart } from "../receipt.js";
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
  /** Whether the step's failure ended the launch. */
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
  readonly state: DomainState;
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
  return {
    ...{ name, domid, state: record?.state ?? "absent" },
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
  return begun.map(({ kind, domain, number, beganNs, endedNs }, index) => {
    // A step that failed may have no end: then it ends with its domain, or where the next begins.
    const next = begun[index + 1]?.beganNs ?? durationNs;
    const end = Math.min(endedNs ?? lives[domain]?.destroyedNs ?? next, next);
    const failed = part.status !== 0 && part.operation !== 0 && part.step === number;
    return { kind, step: number, domain, failed, beganNs, endedNs: Math.max(beganNs, end) };
  });
}

/**
 * The steps, and between them the destroying of domains without which the launch went on. A receipt
 * says when that was over; it begins when there was a reason and the boot domain had time.
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
  let lastNs = 0;
  return [...steps, ...destroys]
    .sort((a, b) => a.endedNs - b.endedNs || a.beganNs - b.beganNs)
    .map((activity) => {
      const { kind, endedNs } = activity;
      const reasonNs = kind === "destroy" ? reasonToDestroyNs(facts, activity, domains) : 0;
      const beganNs = Math.min(Math.max(lastNs, reasonNs), endedNs);
      lastNs = endedNs;
      return kind === "destroy" ? { ...activity, beganNs } : activity;
    });
}

/** When it was known that a domain is to be destroyed: by its own end, or by one that it waits for. */
function reasonToDestroyNs(
  facts: PlanFacts,
  { domain = 0 }: Activity,
  domains: readonly DomainLife[],
): number {
  const own = domains[domain]?.readiness;
  if (own != null) return own.endedNs;
  const failed = facts.steps
    .flatMap((step) => (step.domain === domain ? step.guards : []))
    .flatMap((guard) => domains[guard] ?? [])
    .filter(({ readyNs }) => readyNs === null)
    .map(({ readiness }) => readiness?.endedNs ?? 0);
  return failed.length === 0 ? 0 : Math.min(...failed);
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
