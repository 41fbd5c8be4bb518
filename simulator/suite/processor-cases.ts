// SPDX-License-Identifier: Apache-2.0
// Launches that say on which CPUs domains run: pools, affinities and shares, each with its fields at
// their limits, of a host with four CPUs.

import type { PlanOperation } from "../../compiler/plan/plan.js";
import * as abi from "../../contract/xen-abi.js";
import { asPlanned } from "../behaviours.js";
import { withPlan } from "./base-launch.js";
import { type OrderedLaunch, ordered } from "./order-launch.js";
import { plainCase, type SuiteCase } from "./suite-case.js";

const MOST = 0xffffffff;
const CPUS = 4;

const credit = abi.XEN_SCHEDULER_CREDIT;
const credit2 = abi.XEN_SCHEDULER_CREDIT2;
const createPool = (pool = 1, scheduler = credit): PlanOperation => ({
  ...{ kind: "createPool", pool, scheduler },
});
const moveCpu = (cpu = 3, pool = 1): PlanOperation => ({ kind: "moveCpu", pool, cpu });
const affinity = (lowCpus: number, vcpu = 0, highCpus = 0): PlanOperation => ({
  ...{ kind: "setAffinity", vcpu, lowCpus, highCpus },
});
const share = (scheduler = credit2, weight = 512, cap = 50): PlanOperation => ({
  ...{ kind: "setShare", scheduler, weight, cap },
});

/** The launch whose first domain, in this pool, has operations before its creation and after it. */
function placed(
  base: OrderedLaunch,
  cpuPool: number,
  before: readonly PlanOperation[],
  after: readonly PlanOperation[] = [],
): Uint8Array {
  const { plan } = base;
  const making = operationsOf(base, ordered.storage);
  const created = making.findIndex(({ kind }) => kind === "createDomain");
  const whole = making.findIndex(({ kind }) => kind === "limitMemory") + 1;
  const operations = [
    ...[...making.slice(0, created), ...before, ...making.slice(created, whole)],
    ...[...after, ...making.slice(whole)],
  ];
  const domains = plan.domains.map((domain, index) =>
    index === ordered.storage ? { ...domain, cpuPool } : domain,
  );
  return withStep({ ...base, plan: { ...plan, domains } }, ordered.storage, operations);
}

function operationsOf({ plan }: OrderedLaunch, step: number): readonly PlanOperation[] {
  const { firstOperation = 0, operationCount = 0 } = plan.steps[step] ?? {};
  return plan.operations.slice(firstOperation, firstOperation + operationCount);
}

/** The launch with operations of its own for a step, which may have shared them with others. */
function withStep(
  base: OrderedLaunch,
  step: number,
  operations: readonly PlanOperation[],
): Uint8Array {
  const { plan } = base;
  const own = { firstOperation: plan.operations.length, operationCount: operations.length };
  return withPlan(base, {
    operations: [...plan.operations, ...operations],
    steps: plan.steps.map((one, index) => (index === step ? { ...one, ...own } : one)),
  });
}

type Named = readonly (readonly [string, Uint8Array])[];

function poolCases(base: OrderedLaunch): Named {
  const pools = (count: number): PlanOperation[] =>
    Array.from({ length: count }, (_, index) => createPool(index + 1));
  const [rtds, none] = [abi.XEN_SCHEDULER_RTDS, abi.XEN_SCHEDULER_NULL];
  return [
    ["a pool of its own", placed(base, 1, [createPool(), moveCpu()])],
    ["a pool with two CPUs", placed(base, 1, [createPool(), moveCpu(3), moveCpu(1)])],
    ["a pool without a CPU", placed(base, 1, [createPool()])],
    ["a pool that nobody has made", placed(base, 2, [createPool(), moveCpu()])],
    ["a pool with the last number", placed(base, MOST, [createPool(MOST), moveCpu()])],
    ["a pool twice", placed(base, 1, [createPool(), createPool()])],
    ["pool 0 once more", placed(base, 0, [createPool(0)])],
    ...[0, credit2, rtds, none, MOST].map(
      (scheduler) =>
        [
          `a pool with scheduler ${scheduler}`,
          placed(base, 1, [createPool(1, scheduler), moveCpu()]),
        ] as const,
    ),
    ...[0, 1, CPUS - 1, CPUS, 63, 64, MOST].map(
      (cpu) => [`CPU ${cpu} in a pool`, placed(base, 1, [createPool(), moveCpu(cpu)])] as const,
    ),
    ["a CPU in two pools", placed(base, 1, [...pools(2), moveCpu(3, 1), moveCpu(3, 2)])],
    ["a CPU in a pool that nobody has made", placed(base, 0, [moveCpu(3, 7)])],
    [
      "every CPU in a pool",
      placed(base, 1, [createPool(), ...[3, 2, 1].map((cpu) => moveCpu(cpu))]),
    ],
    ["as many pools as there can be", placed(base, 0, pools(2 * CPUS - 1))],
    ["one pool more", placed(base, 0, pools(2 * CPUS))],
    ["a pool when a domain runs", poolAfterStart(base, createPool())],
    ["a CPU moved when a domain runs", poolAfterStart(base, moveCpu(3, 0))],
  ];
}

/** The launch with an operation before web's start, which is after storage's. */
function poolAfterStart(base: OrderedLaunch, operation: PlanOperation): Uint8Array {
  const start = 2 * base.plan.domains.length + ordered.web;
  return withStep(base, start, [operation, ...operationsOf(base, start)]);
}

function placementCases(base: OrderedLaunch): Named {
  const pool = [createPool(), moveCpu()];
  return [
    ...[0, 1, 1 << (CPUS - 1), 1 << CPUS, MOST].map(
      (cpus) => [`CPUs 0x${cpus.toString(16)}`, placed(base, 0, [], [affinity(cpus)])] as const,
    ),
    ["CPUs from 32 on", placed(base, 0, [], [affinity(0, 0, MOST)])],
    ["CPUs of another pool", placed(base, 1, pool, [affinity(1)])],
    ["CPUs of its pool", placed(base, 1, pool, [affinity(1 << 3)])],
    ...[1, 127, MOST].map(
      (vcpu) => [`CPUs of vCPU ${vcpu}`, placed(base, 0, [], [affinity(1, vcpu)])] as const,
    ),
    ["CPUs before the creation", placed(base, 0, [affinity(1)])],
    ["CPUs before the vCPUs", beforeVcpus(base, affinity(1))],
    ...[0, credit, credit2, abi.XEN_SCHEDULER_RTDS, MOST].map(
      (scheduler) => [`a share of ${scheduler}`, placed(base, 0, [], [share(scheduler)])] as const,
    ),
    ["a share in a pool", placed(base, 1, pool, [share(credit)])],
    ["a share of another pool's scheduler", placed(base, 1, pool, [share()])],
    ["a share before the creation", placed(base, 0, [share()])],
    ...[0, 1, 65535, 65536, MOST].map(
      (value) =>
        [
          `a share with weight and cap ${value}`,
          placed(base, 0, [], [share(credit2, value, value)]),
        ] as const,
    ),
  ];
}

/** The launch with an operation between a domain's creation and its vCPUs. */
function beforeVcpus(base: OrderedLaunch, operation: PlanOperation): Uint8Array {
  const making = operationsOf(base, ordered.storage);
  const at = making.findIndex(({ kind }) => kind === "allocateVcpus");
  return withStep(base, ordered.storage, [...making.slice(0, at), operation, ...making.slice(at)]);
}

/** Every case of pools and placement. */
export function processorCases(base: OrderedLaunch): readonly SuiteCase[] {
  return [...poolCases(base), ...placementCases(base)].map(([name, image]) => ({
    ...plainCase(`processors: ${name}`, image),
    cpus: CPUS,
    behaviourOf: asPlanned(base.plan),
  }));
}
