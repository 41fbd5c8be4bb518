// SPDX-License-Identifier: Apache-2.0
// Launches in order: domains that do what is awaited of them, or not, at each moment; guards that hold
// late or never; every new field of the plan at its limits; recovery that finds what was kept for it.

import type { Plan, PlanDomain, PlanStep } from "../../compiler/plan/plan.js";
import { DomainRecord, PlanHeader, StepRecord } from "../../contract/image.js";
import { MAX_GUARDS, MAX_READY_WITHIN } from "../../contract/limits.js";
import * as abi from "../../contract/xen-abi.js";
import { behavioursIn, parseBehaviour } from "../behaviours.js";
import { withDomain, withPlan, withPlanWords } from "./base-launch.js";
import { type OrderedLaunch, ordered } from "./order-launch.js";
import { PLENTY_PAGES, plainCase, type SuiteCase } from "./suite-case.js";

const MOST = 0xffffffff;

/** A case whose domains do as is said of them, else as planned. */
function behaving(
  name: string,
  image: Uint8Array,
  plan: Plan,
  ...said: readonly string[]
): SuiteCase {
  const named = said.map((text) => {
    const parsed = parseBehaviour(text);
    if (!parsed.ok) throw new Error(`bug: ${parsed.problem}`);
    return parsed.behaviour;
  });
  const words = said.length === 0 ? "as planned" : said.join(" ");
  const behaviourOf = behavioursIn([plan], named);
  return { ...plainCase(`order: ${name}, ${words}`, image), behaviourOf };
}

/** What storage and job do, in and out of time. */
const doings: readonly (readonly string[])[] = [
  [],
  ["storage=silent"],
  ["job=silent"],
  ["storage=silent", "job=silent"],
  ["storage=signal@99ms"],
  ["storage=signal@100ms"],
  ["storage=signal@101ms"],
  ["storage=signal@110ms"],
  ["storage=signal@0us"],
  ["storage=signal@1ms,signal@2ms,signal@2ms"],
  ["storage=signal@1ms:port=2"],
  ["storage=signal@1ms:port=0", "job=signal@1ms:port=1023"],
  ["storage=signal@1ms:port=2,signal@50ms"],
  ["storage=crash@0us"],
  ["storage=crash@5ms"],
  ["storage=signal@5ms,crash@5ms"],
  ["storage=signal@5ms,end@6ms"],
  ["storage=signal@5ms,end@6ms", "job=signal@50ms,end@60ms"],
  ["storage=end@5ms:reboot"],
  ["storage=signal@6ms,crash@5ms"],
  ["job=end@5ms"],
  ["job=end@5ms,signal@6ms"],
  ["job=signal@5ms,end@5ms"],
  ["job=signal@5ms,crash@6ms"],
  ["job=signal@5ms,end@6ms:watchdog"],
  ["job=signal@5ms,end@200ms"],
  ["job=signal@5ms,end@201ms"],
  ["job=signal@5ms,end@210ms"],
  ["job=signal@5ms:port=1,end@6ms"],
  ["web=crash@0us", "free=crash@0us"],
  ["free=signal@0us", "web=end@1ms"],
];

const failing = ["abort", "continue", "recover"] as const;

/** The launch with the failure of a domain meaning something else. */
function meaning(base: OrderedLaunch, onFailure: PlanDomain["onFailure"]): Uint8Array {
  return withPlan(base, {
    domains: base.plan.domains.map((domain) => ({ ...domain, onFailure })),
  });
}

function behaviourCases(base: OrderedLaunch): readonly SuiteCase[] {
  return [
    ...doings.map((said) => behaving("a launch in order", base.image, base.plan, ...said)),
    ...failing.flatMap((onFailure) => {
      const image = meaning(base, onFailure);
      return ["storage=silent", "storage=crash@5ms", "job=end@5ms"].map((said) =>
        behaving(`each failure means ${onFailure}`, image, base.plan, said),
      );
    }),
  ];
}

/** Two domains that are awaited at once, and what they do at the same moment. */
function togetherCases(base: OrderedLaunch): readonly SuiteCase[] {
  const steps = base.plan.steps.map((step) => ({ ...step, firstGuard: 0, guardCount: 0 }));
  const plan = { ...base.plan, steps };
  const image = withPlan(base, { steps });
  return [
    [],
    ["storage=signal@5ms", "job=signal@5ms,end@5ms"],
    // The first one's end is taken in before the other's signal, in time for both.
    ["storage=signal@100ms", "job=signal@1ms,end@99ms"],
    ["storage=crash@5ms", "job=crash@5ms"],
    ["storage=silent", "job=crash@100ms"],
    ["storage=signal@1ms", "job=silent"],
  ].map((said) => behaving("nobody waits for another", image, plan, ...said));
}

/** The launch with steps changed that `which` chooses, and guards behind its own. */
function withSteps(
  base: OrderedLaunch,
  which: (step: PlanStep, index: number) => Partial<PlanStep> | undefined,
  guards: readonly number[] = [],
): Uint8Array {
  return withPlan(base, {
    guards: [...base.plan.guards, ...guards],
    steps: base.plan.steps.map((step, index) => ({ ...step, ...which(step, index) })),
  });
}

function guardCases(base: OrderedLaunch): readonly SuiteCase[] {
  const { guards, steps, domains } = base.plan;
  const startOf = (domain: number): number => 2 * domains.length + domain;
  const own = guards.length;
  const guarded = (index: number, count = 1) => ({ firstGuard: own + index, guardCount: count });
  const onStart = (domain: number, ...awaited: readonly number[]): Uint8Array =>
    withSteps(
      base,
      (_, index) => (index === startOf(domain) ? guarded(0, awaited.length) : undefined),
      awaited,
    );
  const cases: readonly (readonly [string, Uint8Array])[] = [
    ["a domain after itself", onStart(ordered.free, ordered.free)],
    ["a domain after itself, and another", onStart(ordered.free, ordered.storage, ordered.free)],
    ["two after each other", onStart(ordered.storage, ordered.web)],
    ["a domain twice after another", onStart(ordered.free, ordered.job, ordered.job)],
    ["a guard for no domain", onStart(ordered.free, domains.length)],
    ["a guard for the last number", onStart(ordered.free, MOST)],
    ["a guard that nothing points to", withSteps(base, () => undefined, [0])],
    ["one for no domain that nothing points to", withSteps(base, () => undefined, [9])],
    [
      "every step after a domain's readiness",
      withSteps(base, ({ domain }) => (domain === ordered.free ? guarded(0) : undefined), [0]),
    ],
    [
      "what is told and linked after readiness",
      withSteps(
        base,
        (_, at) => (at === domains.length + ordered.web ? guarded(0) : undefined),
        [0],
      ),
    ],
    [
      "as many guards as there can be",
      withSteps(base, () => undefined, Array(MAX_GUARDS - own).fill(0)),
    ],
    [
      "all of them of one step",
      withSteps(
        base,
        (_, at) => (at === startOf(3) ? { firstGuard: 0, guardCount: MAX_GUARDS } : {}),
        [...Array(MAX_GUARDS - own).fill(0)],
      ),
    ],
    ["one guard more", withSteps(base, () => undefined, Array(MAX_GUARDS - own + 1).fill(0))],
    [
      "starts before what comes first",
      withPlan(base, {
        steps: steps.toReversed().map((step) => ({
          ...step,
          afterStep: step.afterStep === 0 ? 0 : steps.length + 1 - step.afterStep,
        })),
      }),
    ],
    [
      "a start that is not the last step",
      withSteps(base, (_, at) => (at === 0 ? { afterStep: startOf(ordered.free) + 1 } : undefined)),
    ],
  ];
  const bounds = [0, 1, own - 1, own, own + 1, MOST].flatMap((firstGuard) =>
    [0, 1, own, own + 1, MOST].map((guardCount) => {
      const image = withSteps(base, (_, at) =>
        at === startOf(ordered.web) ? { firstGuard, guardCount } : undefined,
      );
      return [`guards ${firstGuard} +${guardCount}`, image] as const;
    }),
  );
  return [...cases, ...bounds].map(([name, image]) => behaving(name, image, base.plan));
}

/** Fields of records at and beyond their limits, as words of the plan where no layout has them. */
function fieldCases(base: OrderedLaunch): readonly SuiteCase[] {
  const within = [0, 1, MAX_READY_WITHIN, MAX_READY_WITHIN + 1, MOST].flatMap((readyWithin) =>
    ["storage=signal@1ms", "storage=silent"].map((said) =>
      behaving(
        `readyWithin ${readyWithin}`,
        withDomain(base, ordered.storage, { readyWithin }),
        base.plan,
        said,
      ),
    ),
  );
  const limits = withDomain(base, ordered.free, { readyWithin: 5 });
  const words = [
    ["readiness", DomainRecord.readiness],
    ["onFailure", DomainRecord.onFailure],
    ["cpuPool", DomainRecord.cpuPool],
  ] as const;
  const domain = (field: number): number => (PlanHeader.size + field) / 4;
  const choices = words.flatMap(([name, field]) =>
    [0, 1, 2, 3, MOST].map((value) =>
      behaving(
        `${name} ${value}`,
        withPlanWords(base.image, [[domain(field), value]]),
        base.plan,
        "storage=crash@5ms",
      ),
    ),
  );
  const counts = [0, 2, 4, MAX_GUARDS, MAX_GUARDS + 1, MOST].map((value) =>
    plainCase(
      `order: the header says ${value} guards`,
      withPlanWords(base.image, [[PlanHeader.guards / 4, value]]),
    ),
  );
  return [
    ...within,
    ...choices,
    ...counts,
    behaving("a limit of what is ready at once", limits, base.plan),
    plainCase(
      "order: a step record that ends with guards",
      withPlanWords(base.image, [[(PlanHeader.size + StepRecord.size) / 4, 1]]),
    ),
  ];
}

/** What is kept for the recovery plan, more and less than it needs. */
function reserveCases(base: OrderedLaunch): readonly SuiteCase[] {
  const { reservedPages, reservedPrivileges } = base.plan;
  const of = (name: string, changes: Partial<Plan>, freePages = PLENTY_PAGES): SuiteCase => ({
    ...behaving(name, withPlan(base, changes), base.plan, "storage=silent"),
    freePages,
  });
  const bits = Array.from({ length: 32 }, (_, bit) => (1 << bit) >>> 0);
  const running = withPlan(base, {});
  const enough = 4 * 1200 + reservedPages;
  return [
    of("no privilege is kept", { reservedPrivileges: 0 }),
    of("no memory is kept", { reservedPages: 0 }),
    of("no memory is kept, and little is there", { reservedPages: 0 }, 4 * 1100),
    of("more memory is kept than is there", { reservedPages: PLENTY_PAGES + 1 }),
    of("all memory is kept", { reservedPages: PLENTY_PAGES }),
    of("as much memory is kept as there can be", { reservedPages: MOST }),
    of("a privilege is kept that is dropped", { dropped: reservedPrivileges }),
    ...bits.map((bit) => of(`kept privilege 0x${bit.toString(16)}`, { reservedPrivileges: bit })),
    ...[0, 1, reservedPages - 1, reservedPages, enough - 300, enough].map((freePages) => ({
      ...behaving(`with ${freePages} free pages`, running, base.plan, "storage=silent"),
      freePages,
    })),
    ...recoveryKeeps(base),
  ];
}

/** The recovery plan itself wants something kept, when there have been domains. */
function recoveryKeeps(base: OrderedLaunch): readonly SuiteCase[] {
  const field = PlanHeader.reservedPrivileges / 4;
  const changed = withRecoveryWords(base, [[field, abi.XEN_DOMCTL_CDF_control]]);
  return [behaving("recovery wants to keep a privilege", changed, base.plan, "storage=silent")];
}

function withRecoveryWords(
  base: OrderedLaunch,
  changes: readonly (readonly [word: number, value: number])[],
): Uint8Array {
  // Where a recovery plan is alone, its header is that of no other: swapped, it is the main one.
  const recovery = swapHeaders(withPlanWords(swapHeaders(base.recovery), changes));
  return withPlan({ ...base, recovery }, {});
}

const HEADER_BYTES = 0x2000;

function swapHeaders(image: Uint8Array): Uint8Array {
  const swapped = image.slice();
  swapped.set(image.subarray(HEADER_BYTES, 2 * HEADER_BYTES), 0);
  swapped.set(image.subarray(0, HEADER_BYTES), HEADER_BYTES);
  return swapped;
}

/** Every case of order, readiness, failure and recovery. */
export function orderCases(base: OrderedLaunch): readonly SuiteCase[] {
  return [
    ...behaviourCases(base),
    ...togetherCases(base),
    ...guardCases(base),
    ...fieldCases(base),
    ...reserveCases(base),
  ];
}
