// SPDX-License-Identifier: Apache-2.0
// Plans with right digests that no compiler makes: fields at their limits, operations left out,
// doubled and in another order, guards that never hold.

import type { PlanDomain, PlanOperation } from "../../compiler/plan/plan.js";
import {
  MAX_DOMID,
  MAX_FRAME,
  MAX_MEMORY_PAGES,
  MAX_PAGING_POOL_PAGES,
} from "../../contract/limits.js";
import { XEN_DOMCTL_CDF_host_ends } from "../../contract/xen-abi.js";
import { type BaseLaunch, withDomain, withOperations, withPlan } from "./base-launch.js";
import { plainCase, type SuiteCase } from "./suite-case.js";

const MOST = 0xffffffff;
const LOCAL_APIC_FRAME = 0xfee00;
const bits = Array.from({ length: 32 }, (_, bit) => (1 << bit) >>> 0);

/** Every field of a domain's record with values around its limits. */
function domainCases(base: BaseLaunch): readonly SuiteCase[] {
  const domain = base.plan.domains[0];
  if (domain === undefined) return [];
  const flipped = (flags: number): number[] => [0, MOST, ...bits.map((bit) => (flags ^ bit) >>> 0)];
  const values: Partial<Record<keyof PlanDomain, readonly number[]>> = {
    domid: [0, 2, MAX_DOMID, MAX_DOMID + 1, 0x8000, MOST],
    // With host_ends the end of the case's domain would be the end of all cases.
    createFlags: [...new Set(flipped(domain.createFlags))].filter(
      (flags) => flags !== (domain.createFlags | XEN_DOMCTL_CDF_host_ends),
    ),
    devices: [...new Set([...flipped(domain.devices), 0x3ff])],
    sharedInterrupts: [...new Set(flipped(domain.sharedInterrupts))],
    vcpus: [0, 2, MOST],
    memoryPages: [0, 1, 511, 513, MAX_MEMORY_PAGES, MAX_MEMORY_PAGES + 1, MOST],
    pagingPoolPages: [
      0,
      1,
      2,
      3,
      4,
      5,
      6,
      7,
      8,
      9,
      10,
      12,
      255,
      256,
      257,
      MAX_PAGING_POOL_PAGES + 1,
      MOST,
    ],
    maxEventChannelPort: [0, 1, 0x7fffffff, 0x80000000, MOST],
    maxGrantFrames: [0, 1, 64, 65, 0x10000, 0x7fffffff, MOST],
    maxMaptrackFrames: [0, 1, 1024, 1025, 0x10000, 0x7fffffff, MOST],
  };
  return Object.entries(values).flatMap(([field, numbers]) =>
    (numbers ?? []).map((value) =>
      plainCase(
        `plan: domain's ${field} is 0x${value.toString(16)}`,
        withDomain(base, 0, { [field]: value }),
      ),
    ),
  );
}

/** Each operation left out, doubled, and before its predecessor. */
function sequenceCases(base: BaseLaunch): readonly SuiteCase[] {
  const { operations } = base.plan;
  return operations.flatMap((operation, index) => {
    const named = `operation ${index + 1}, ${operation.kind}`;
    const before = operations[index - 1];
    return [
      plainCase(`plan: without ${named}`, withOperations(base, index, 1)),
      plainCase(`plan: ${named}, doubled`, withOperations(base, index, 0, operation)),
      ...(before === undefined
        ? []
        : [
            plainCase(
              `plan: ${named}, before ${before.kind}`,
              withOperations(base, index - 1, 2, operation, before),
            ),
          ]),
    ];
  });
}

type Changes = Readonly<Record<string, number>>;

/** The fields of each operation with values around their limits. */
function operationCases(base: BaseLaunch): readonly SuiteCase[] {
  const pages = base.plan.domains[0]?.memoryPages ?? 0;
  const first = firstFrame(base);
  const borders = [...new Set([0, first, first + pages - 1, first + pages])];
  const frames = [...borders, LOCAL_APIC_FRAME, MAX_FRAME - 1, MAX_FRAME, MOST];
  const lists: Partial<Record<PlanOperation["kind"], readonly Changes[]>> = {
    verify: [{ material: base.plan.materials.length }, { material: MOST }],
    populate: [
      ...[1, 4, 9, 10].map((order) => ({ order, count: Math.max(1, pages >> order) })),
      ...[18, 19, MOST].map((order) => ({ order, count: 1 })),
      ...[0, 1, pages - 1, pages + 1, 2 * pages + 5, MAX_FRAME, MOST].map((count) => ({ count })),
      ...[1, MAX_FRAME - pages, MAX_FRAME - pages + 1, MOST].map((frame) => ({ frame })),
      { frame: first + 3, order: 2, count: 8 },
    ],
    copy: [
      ...[0, 1000, MAX_FRAME, MOST].map((count) => ({ count })),
      ...frames.map((frame) => ({ frame, count: 1 })),
      ...[1, 4095, 4096, 0x40000000, 0xfffff000].map((offset) => ({ offset, count: 1 })),
      { material: base.plan.materials.length },
    ],
    clear: [
      ...[0, 1, MAX_FRAME, MOST].map((count) => ({ count })),
      ...frames.map((frame) => ({ frame, count: 1 })),
      { frame: first + pages - 2, count: 4 },
    ],
    setContext: [{ material: 0 }, { material: base.plan.materials.length }],
  };
  return Object.entries(lists).flatMap(([kind, changes]) => {
    const index = base.plan.operations.findIndex((operation) => operation.kind === kind);
    const operation = base.plan.operations[index];
    if (operation === undefined) return [];
    return changes.map((change) => {
      const fields = Object.entries(change).map(([field, value]) => `${field} ${value}`);
      const changed = { ...operation, ...change } as PlanOperation;
      return plainCase(
        `plan: ${kind} with ${fields.join(", ")}`,
        withOperations(base, index, 1, changed),
      );
    });
  });
}

/** Steps in another order, guards that never hold, tables that are empty. */
function stepCases(base: BaseLaunch): readonly SuiteCase[] {
  const { steps, domains } = base.plan;
  const guards = [0, 1, steps.length, steps.length + 1, MOST].flatMap((afterStep) =>
    steps.map((_, index) =>
      plainCase(
        `plan: step ${index + 1} after step ${afterStep}`,
        withPlan(base, {
          steps: steps.map((step, at) => (at === index ? { ...step, afterStep } : step)),
        }),
      ),
    ),
  );
  const counts = [0, MOST].flatMap((value) =>
    (["firstOperation", "operationCount", "domain"] as const).map((field) =>
      plainCase(
        `plan: a step's ${field} is ${value}`,
        withPlan(base, { steps: steps.map((step) => ({ ...step, [field]: value })) }),
      ),
    ),
  );
  const swapped = domains.map((domain) => ({ ...domain, domid: 1 }));
  return [
    ...guards,
    ...counts,
    plainCase(
      "plan: steps in reverse, each with its guard",
      withPlan(base, {
        steps: [...steps].reverse().map((step) => ({
          ...step,
          afterStep: step.afterStep === 0 ? 0 : steps.length + 1 - step.afterStep,
        })),
      }),
    ),
    plainCase("plan: one domid for all domains", withPlan(base, { domains: swapped })),
    plainCase("plan: steps twice", withPlan(base, { steps: [...steps, ...steps] })),
    plainCase("plan: no step", withPlan(base, { steps: [], operations: [] })),
    plainCase(
      "plan: nothing at all",
      withPlan(base, { domains: [], materials: [], steps: [], operations: [] }),
    ),
  ];
}

/** Where the memory of a launch's first domain begins. */
function firstFrame({ plan }: BaseLaunch): number {
  return plan.operations.find((operation) => operation.kind === "populate")?.frame ?? 0;
}

/** The launch with an operation that clears pages behind the one that gives them. */
function withClear(base: BaseLaunch): BaseLaunch {
  const at = base.plan.operations.findIndex(({ kind }) => kind === "populate") + 1;
  const operations = [...base.plan.operations];
  operations.splice(at, 0, { kind: "clear", frame: firstFrame(base) + 8, count: 3 });
  const steps = base.plan.steps.map((step) => ({
    ...step,
    firstOperation: step.firstOperation + (step.firstOperation >= at ? 1 : 0),
    operationCount: step.operationCount + (step.firstOperation < at ? 1 : 0),
  }));
  return { ...base, plan: { ...base.plan, operations, steps } };
}

/** A domain that is started without a vCPU: of what needs one, only the start is left. */
function withoutVcpus(base: BaseLaunch): SuiteCase {
  const limit = { kind: "limitMemory" } as const;
  const operations = base.plan.operations.map((operation) =>
    operation.kind === "allocateVcpus" || operation.kind === "setContext" ? limit : operation,
  );
  return plainCase("plan: a domain without a vCPU", withPlan(base, { operations }));
}

/** Every case of a wrong or unusual plan. */
export function planCases(launch: BaseLaunch, two: BaseLaunch): readonly SuiteCase[] {
  const one = withClear(launch);
  return [
    ...domainCases(one),
    ...sequenceCases(one),
    ...operationCases(one),
    ...stepCases(two),
    withoutVcpus(one),
  ];
}
