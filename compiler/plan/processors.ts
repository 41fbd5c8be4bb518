// SPDX-License-Identifier: Apache-2.0
// From what a description says of physical CPUs to operations: pools are made before the first domain
// that runs in them, those without a domain before the first of all; affinity and share are set as
// soon as there are vCPUs.

import {
  XEN_SCHEDULER_CREDIT,
  XEN_SCHEDULER_CREDIT2,
  XEN_SCHEDULER_NULL,
  XEN_SCHEDULER_RTDS,
} from "../../contract/xen-abi.js";
import type { CpuPool, DomainDescription, LaunchDescription } from "../description/description.js";
import { type Scheduler, schedulers } from "../description/processor-judges.js";
import type { Processors } from "./make-plan.js";
import type { Plan, PlanOperation } from "./plan.js";

/** XEN_SCHEDULER_* of each scheduler. */
const schedulerNumbers: Readonly<Record<Scheduler, number>> = {
  credit: XEN_SCHEDULER_CREDIT,
  credit2: XEN_SCHEDULER_CREDIT2,
  rtds: XEN_SCHEDULER_RTDS,
  null: XEN_SCHEDULER_NULL,
};

/** The name of a XEN_SCHEDULER_*, or the number of one that no compiler names. */
export function schedulerName(number: number): string {
  const known = schedulers.find((scheduler) => schedulerNumbers[scheduler] === number);
  return known ?? String(number);
}

/** That of pool 0, unless Xen's command line says otherwise. */
const FIRST_SCHEDULER: Scheduler = "credit2";
/** CSCHED2_DEFAULT_WEIGHT, xen/common/sched/credit2.c; credit.c has the same. */
const DEFAULT_WEIGHT = 256;
const NO_CAP = 0;

/** What each domain, by name, takes of the host's CPUs. The recovery plan makes no pools. */
export function planProcessors({
  domains,
  pools = [],
}: Pick<LaunchDescription, "domains" | "pools">): ReadonlyMap<string, Processors> {
  const makers = new Map<string, PlanOperation[]>();
  const main = domains.filter(({ recovery }) => !recovery);
  for (const [index, pool] of pools.entries()) {
    const first = main.find((domain) => domain.pool === pool.name) ?? main[0];
    if (first === undefined) continue;
    const before = makers.get(first.name) ?? [];
    makers.set(first.name, [...before, ...poolOperations(pool, index + 1)]);
  }
  return new Map(
    domains.map((domain) => {
      const index = pools.findIndex(({ name }) => name === domain.pool);
      const scheduler = pools[index]?.scheduler ?? FIRST_SCHEDULER;
      const pool = makers.get(domain.name) ?? [];
      const placement = [...affinityOperations(domain), ...shareOperations(domain, scheduler)];
      return [domain.name, { cpuPool: index + 1, pool, placement }];
    }),
  );
}

function poolOperations({ cpus, scheduler }: CpuPool, pool: number): readonly PlanOperation[] {
  return [
    { kind: "createPool", pool, scheduler: schedulerNumbers[scheduler] },
    ...cpus.map((cpu) => ({ kind: "moveCpu" as const, pool, cpu })),
  ];
}

function affinityOperations({ cpus, pinned, vcpus }: DomainDescription): readonly PlanOperation[] {
  if (cpus === undefined) return [];
  return Array.from({ length: vcpus }, (_, vcpu) => ({
    kind: "setAffinity" as const,
    vcpu,
    ...cpuBits(pinned ? cpus.slice(vcpu, vcpu + 1) : cpus),
  }));
}

/** A bit for each CPU, in two words. */
function cpuBits(cpus: readonly number[]): { lowCpus: number; highCpus: number } {
  const bits = cpus.reduce((all, cpu) => all | (1n << BigInt(cpu)), 0n);
  return { lowCpus: Number(bits & 0xffffffffn), highCpus: Number(bits >> 32n) };
}

/** The CPUs of which these words have bits. */
export function cpusIn(lowCpus: number, highCpus: number): readonly number[] {
  return [lowCpus, highCpus].flatMap((word, index) =>
    Array.from({ length: 32 }, (_, bit) => bit)
      .filter((bit) => (word >>> bit) & 1)
      .map((bit) => index * 32 + bit),
  );
}

/** Does the plan move CPUs between pools. */
export function movesCpus({ operations }: Pick<Plan, "operations">): boolean {
  return operations.some(({ kind }) => kind === "moveCpu");
}

/** CPUs that a host needs at least for what a plan says of them. */
export function cpusNeeded({ operations }: Pick<Plan, "operations">): number {
  const named = operations.flatMap((operation) => {
    if (operation.kind === "moveCpu") return [operation.cpu];
    return operation.kind === "setAffinity" ? cpusIn(operation.lowCpus, operation.highCpus) : [];
  });
  return Math.max(0, ...named) + 1;
}

function shareOperations(
  { weight, cap }: DomainDescription,
  scheduler: Scheduler,
): readonly PlanOperation[] {
  if (weight === undefined && cap === undefined) return [];
  return [
    {
      kind: "setShare",
      scheduler: schedulerNumbers[scheduler],
      weight: weight ?? DEFAULT_WEIGHT,
      cap: cap ?? NO_CAP,
    },
  ];
}
