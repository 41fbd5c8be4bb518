// SPDX-License-Identifier: Apache-2.0
// Rules on physical CPUs, CPU pools and the domains in them. They look at the value as it was read,
// right or wrong, as between-domains.ts does.

import { MAX_DOMAINS } from "../../contract/limits.js";
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import { isMapping, vcpusFault } from "./judges.js";
import { FIRST_POOL, MAX_CPU } from "./limits.js";
import { nearestName } from "./nearest-name.js";
import { type Domains, isRecovery, keyOf } from "./order.js";
import { type Path, type Places, subjectOf } from "./places.js";
import {
  capFault,
  cpuFault,
  hostCpusFault,
  poolNameFault,
  schedulers,
} from "./processor-judges.js";
import { descriptionRules } from "./rules.js";

/** Parts of a description as they were read. */
export interface ReadProcessors {
  readonly domains: Domains;
  readonly host: unknown;
  readonly pools: unknown;
}

/** A CPU in a list of CPUs. */
interface Mention {
  readonly cpu: number;
  readonly path: Path;
}

interface ReadPool {
  readonly name: string;
  readonly cpus: readonly Mention[];
  readonly scheduler: unknown;
}

interface ReadDomain {
  readonly name: string;
  /** Undefined where it says none. */
  readonly cpus: readonly Mention[] | undefined;
  readonly vcpus: number;
  readonly pool: string;
}

/** Checks what the schema can't say of CPUs. */
export function checkProcessors(read: ReadProcessors, places: Places): readonly Diagnostic[] {
  const { domains, host } = read;
  const names = Object.keys(domains);
  // That there are too many has its own diagnostic.
  if (names.length > MAX_DOMAINS) return [];
  const pools = readPools(read.pools);
  const all = names.map((name) => readDomain(domains, name));
  const lists = [...pools, ...all].flatMap(({ cpus }) => (cpus === undefined ? [] : [cpus]));
  return [
    ...checkPoolNames(pools, places),
    ...lists.flatMap((list) => checkTwice(list, places)),
    ...checkOwners(pools, places),
    ...checkFirstCpu(pools, places),
    ...checkHost(host, lists, places),
    ...all.flatMap((domain) => [
      ...checkPool(domain, pools, domains, places),
      ...checkPinned(domain, domains, places),
      ...checkShare(domain, domains, pools, places),
    ]),
    ...checkNullPools(all, pools, places),
  ];
}

/** The CPUs in a list that can be ones; a longer list than there are CPUs names one twice. */
function mentionsIn(list: unknown, path: Path): readonly Mention[] | undefined {
  if (!Array.isArray(list)) return undefined;
  return list
    .slice(0, MAX_CPU + 2)
    .flatMap((cpu: unknown, index) =>
      cpuFault(cpu) === undefined ? [{ cpu: cpu as number, path: [...path, index] }] : [],
    );
}

function readPools(pools: unknown): readonly ReadPool[] {
  if (!isMapping(pools)) return [];
  return Object.entries(pools).map(([name, pool]) => ({
    name,
    cpus: (isMapping(pool) && mentionsIn(pool.cpus, ["pools", name, "cpus"])) || [],
    scheduler: isMapping(pool) ? (pool.scheduler ?? schedulers[0]) : undefined,
  }));
}

function readDomain(domains: Domains, name: string): ReadDomain {
  const vcpus = keyOf(domains, name, "vcpus") ?? 1;
  const pool = keyOf(domains, name, "pool");
  return {
    name,
    cpus: mentionsIn(keyOf(domains, name, "cpus"), ["domains", name, "cpus"]),
    vcpus: vcpusFault(vcpus) === undefined ? (vcpus as number) : 1,
    pool: typeof pool === "string" ? pool : FIRST_POOL,
  };
}

function checkPoolNames(pools: readonly ReadPool[], places: Places): readonly Diagnostic[] {
  return pools.flatMap(({ name }) => {
    const fault = poolNameFault(name);
    if (fault === undefined) return [];
    const place = places.ofKey(["pools", name]);
    const message = `the name of a pool ${fault.predicate}`;
    return [descriptionRules.diagnose(fault.code, { place, message, fix: fault.fix })];
  });
}

/** A CPU that stands in one list twice. */
function checkTwice(list: readonly Mention[], places: Places): readonly Diagnostic[] {
  const first = new Map<number, Path>();
  return list.flatMap(({ cpu, path }) => {
    const earlier = first.get(cpu);
    if (earlier === undefined) {
      first.set(cpu, path);
      return [];
    }
    return [
      descriptionRules.diagnose("DOMB2302", {
        place: places.ofValue(path),
        message: `${subjectOf(path.slice(0, -1))} names CPU ${cpu} a second time`,
        fix: "Name it once, or name another one.",
        related: [{ place: places.ofValue(earlier), message: "first named here" }],
      }),
    ];
  });
}

/** A CPU that two pools have. */
function checkOwners(pools: readonly ReadPool[], places: Places): readonly Diagnostic[] {
  const owners = ownersOf(pools);
  return pools.flatMap(({ name, cpus }) =>
    cpus.flatMap(({ cpu, path }) => {
      const owner = owners.get(cpu);
      if (owner === undefined || owner.pool === name) return [];
      return [
        descriptionRules.diagnose("DOMB2302", {
          place: places.ofValue(path),
          message: `${subjectOf(["pools", name])} has CPU ${cpu}, as has ${subjectOf(["pools", owner.pool])}`,
          fix: "Take it from one of them.",
          related: [{ place: places.ofValue(owner.path), message: "first given here" }],
        }),
      ];
    }),
  );
}

/** The first pool that has each CPU. */
function ownersOf(
  pools: readonly ReadPool[],
): ReadonlyMap<number, { readonly pool: string; readonly path: Path }> {
  const owners = new Map<number, { pool: string; path: Path }>();
  for (const { name, cpus } of pools) {
    for (const { cpu, path } of cpus) {
      if (!owners.has(cpu)) owners.set(cpu, { pool: name, path });
    }
  }
  return owners;
}

/** The CPU that Xen leaves where it is. */
function checkFirstCpu(pools: readonly ReadPool[], places: Places): readonly Diagnostic[] {
  return pools.flatMap(({ name, cpus }) =>
    cpus
      .filter(({ cpu }) => cpu === 0)
      .map(({ path }) =>
        descriptionRules.diagnose("DOMB2304", {
          place: places.ofValue(path),
          message: `${subjectOf(["pools", name])} names CPU 0, which stays in ${FIRST_POOL}; wanted: from 1 on`,
          fix: "Name another one.",
        }),
      ),
  );
}

/** CPUs that the host lacks. */
function checkHost(
  host: unknown,
  lists: readonly (readonly Mention[])[],
  places: Places,
): readonly Diagnostic[] {
  const count = isMapping(host) ? host.cpus : undefined;
  if (count === undefined || hostCpusFault(count) !== undefined) return [];
  const has = `the host has ${count === 1 ? "one CPU" : `${count} CPUs`}`;
  const told = { place: places.ofValue(["host", "cpus"]), message: "host.cpus says so" };
  const missing = lists.flat().filter(({ cpu }) => cpu >= (count as number));
  return missing.map(({ cpu, path }) =>
    descriptionRules.diagnose("DOMB2303", {
      place: places.ofValue(path),
      message: `${subjectOf(path.slice(0, -1))} names CPU ${cpu}, and ${has}; wanted: from 0 to ${(count as number) - 1}`,
      fix: "Name one that it has.",
      related: [told],
    }),
  );
}

/** Whether there is the pool, and the domain's CPUs are of it. */
function checkPool(
  { name, cpus = [], pool }: ReadDomain,
  pools: readonly ReadPool[],
  domains: Domains,
  places: Places,
): readonly Diagnostic[] {
  const subject = subjectOf(["domains", name]);
  const path = ["domains", name, "pool"];
  const names = [FIRST_POOL, ...pools.map((one) => one.name)];
  if (!names.includes(pool)) {
    const meant = nearestName(pool, names);
    return [
      descriptionRules.diagnose("DOMB2301", {
        place: places.ofValue(path),
        message: `${subject} is to run in ${subjectOf(["pools", pool])}, which there is not`,
        fix: meant === undefined ? "Add it under `pools`." : `Did you mean \`${meant}\`?`,
      }),
    ];
  }
  if (isRecovery(domains, name) && pool !== FIRST_POOL) {
    return [
      descriptionRules.diagnose("DOMB2310", {
        place: places.ofValue(path),
        message: `${subject} is the recovery domain, and is to run in ${subjectOf(["pools", pool])}`,
        fix: `Remove the key: it runs in ${FIRST_POOL}.`,
      }),
    ];
  }
  const owners = ownersOf(pools);
  return cpus.flatMap((mention) => {
    const owner = owners.get(mention.cpu);
    if ((owner?.pool ?? FIRST_POOL) === pool) return [];
    const where = owner === undefined ? "no pool" : subjectOf(["pools", owner.pool]);
    return [
      descriptionRules.diagnose("DOMB2305", {
        place: places.ofValue(mention.path),
        message: `${subject} runs in ${subjectOf(["pools", pool])} and is to run on CPU ${mention.cpu}, which is in ${where}`,
        fix: "Name a CPU of its pool, or let it run in the other one.",
        related: owner ? [{ place: places.ofValue(owner.path), message: "it is given here" }] : [],
      }),
    ];
  });
}

function checkPinned(
  { name, cpus, vcpus }: ReadDomain,
  domains: Domains,
  places: Places,
): readonly Diagnostic[] {
  if (keyOf(domains, name, "pinned") !== true) return [];
  // A list of something else, or of nothing, has its own diagnostic.
  const given = keyOf(domains, name, "cpus");
  const count = Array.isArray(given) ? given.length : 0;
  if (given !== undefined && (cpus === undefined || count === 0 || count >= vcpus)) return [];
  return [
    descriptionRules.diagnose("DOMB2306", {
      place: places.ofValue(["domains", name, given === undefined ? "pinned" : "cpus"]),
      message: `${subjectOf(["domains", name])} is pinned and has ${counted(vcpus, "vCPU")} and ${counted(count, "CPU")}; wanted: a CPU for each`,
      fix:
        given === undefined
          ? "Add `cpus` with a CPU for each vCPU."
          : `Name ${counted(vcpus - count, "CPU")} more, or remove \`pinned\`.`,
    }),
  ];
}

function counted(count: number, noun: string): string {
  return `${count === 0 ? "no" : count} ${noun}${count === 1 ? "" : "s"}`;
}

/** Keys that each scheduler has no use for. */
const unknownTo: Readonly<Record<string, readonly string[]>> = {
  rtds: ["weight", "cap"],
  null: ["weight", "cap", "cpus"],
};

function checkShare(
  { name, vcpus, pool }: ReadDomain,
  domains: Domains,
  pools: readonly ReadPool[],
  places: Places,
): readonly Diagnostic[] {
  const subject = subjectOf(["domains", name]);
  const scheduler = String(pools.find((one) => one.name === pool)?.scheduler);
  const unknown = Object.hasOwn(unknownTo, scheduler) ? (unknownTo[scheduler] ?? []) : [];
  const faults = unknown
    .filter((key) => keyOf(domains, name, key) !== undefined)
    .map((key) =>
      descriptionRules.diagnose("DOMB2307", {
        place: places.ofKey(["domains", name, key]),
        message: `${subject} has the key ${key}, of which the scheduler of ${subjectOf(["pools", pool])}, ${scheduler}, knows nothing`,
        fix:
          key === "cpus"
            ? "Remove it: each vCPU gets a CPU of the pool for itself."
            : "Remove it, or give the pool the scheduler credit2.",
        related: [
          { place: places.ofValue(["pools", pool, "scheduler"]), message: "the scheduler is this" },
        ],
      }),
    );
  const cap = keyOf(domains, name, "cap");
  if (unknown.includes("cap") || cap === undefined || capFault(cap) !== undefined) return faults;
  if ((cap as number) <= 100 * vcpus) return faults;
  return [
    ...faults,
    descriptionRules.diagnose("DOMB2309", {
      place: places.ofValue(["domains", name, "cap"]),
      message: `${subject} has ${counted(vcpus, "vCPU")} and a cap of ${cap} percent of a CPU; wanted: at most ${100 * vcpus}`,
      fix: "Write less, or `0` for no limit.",
    }),
  ];
}

/** Pools whose scheduler gives each vCPU a CPU, and has too few. */
function checkNullPools(
  domains: readonly ReadDomain[],
  pools: readonly ReadPool[],
  places: Places,
): readonly Diagnostic[] {
  return pools.flatMap(({ name, cpus, scheduler }) => {
    if (scheduler !== "null" || cpus.length === 0) return [];
    const inside = domains.filter(({ pool }) => pool === name);
    const vcpus = inside.reduce((sum, domain) => sum + domain.vcpus, 0);
    const last = inside.at(-1);
    if (last === undefined || vcpus <= cpus.length) return [];
    return [
      descriptionRules.diagnose("DOMB2308", {
        place: places.ofValue(["domains", last.name, "pool"]),
        message: `${subjectOf(["pools", name])} has the scheduler null, ${counted(cpus.length, "CPU")} and ${counted(vcpus, "vCPU")}; wanted: a CPU for each`,
        fix: "Give the pool more CPUs, or its domains fewer vCPUs.",
        related: [{ place: places.ofValue(["pools", name, "cpus"]), message: "its CPUs" }],
      }),
    ];
  });
}
