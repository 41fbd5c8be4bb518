// SPDX-License-Identifier: Apache-2.0
// From CPUs of a description to the operations of its plan.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { atOnce, type CpuPool, type DomainDescription } from "../description/description.js";
import { cpusIn, cpusNeeded, movesCpus, planProcessors } from "./processors.js";

function domainOf(name: string, keys: Partial<DomainDescription> = {}): DomainDescription {
  return {
    ...{ name, kernel: "/k", cmdline: "", memoryBytes: 0x400000, vcpus: 1, type: "pvh", domid: 1 },
    ...{ output: "none", onDeath: "leave", roles: [], recovery: false },
    ...atOnce,
    ...keys,
  };
}

const realtime: CpuPool = { name: "realtime", cpus: [3, 2], scheduler: "credit" };
const fast: CpuPool = { name: "fast", cpus: [4], scheduler: "null" };
const later: CpuPool = { name: "later", cpus: [5], scheduler: "rtds" };

describe("the operations on CPUs", () => {
  it("are none for a domain that says nothing, in pool 0", () => {
    expect(planProcessors({ domains: [domainOf("web")] }).get("web")).toEqual({
      cpuPool: 0,
      pool: [],
      placement: [],
    });
  });

  it("make each pool before the first domain that runs in it, others before the first domain", () => {
    const domains = [
      domainOf("rescue", { recovery: true }),
      domainOf("web"),
      domainOf("motor", { pool: "fast" }),
      domainOf("control", { pool: "realtime" }),
      domainOf("sensor", { pool: "realtime" }),
    ];
    const planned = planProcessors({ domains, pools: [realtime, fast, later] });
    expect([...planned.values()].map(({ cpuPool, pool }) => ({ cpuPool, pool }))).toEqual([
      { cpuPool: 0, pool: [] },
      {
        cpuPool: 0,
        pool: [
          { kind: "createPool", pool: 3, scheduler: 8 },
          { kind: "moveCpu", pool: 3, cpu: 5 },
        ],
      },
      {
        cpuPool: 2,
        pool: [
          { kind: "createPool", pool: 2, scheduler: 9 },
          { kind: "moveCpu", pool: 2, cpu: 4 },
        ],
      },
      {
        cpuPool: 1,
        pool: [
          { kind: "createPool", pool: 1, scheduler: 5 },
          { kind: "moveCpu", pool: 1, cpu: 3 },
          { kind: "moveCpu", pool: 1, cpu: 2 },
        ],
      },
      { cpuPool: 1, pool: [] },
    ]);
  });

  it("let each vCPU run on all of a domain's CPUs, or pin it to its own", () => {
    const cpus = [33, 2];
    const of = (pinned: boolean) =>
      planProcessors({ domains: [domainOf("web", { vcpus: 2, cpus, pinned })] }).get("web")
        ?.placement;
    const both = { kind: "setAffinity", lowCpus: 4, highCpus: 2 };
    expect(of(false)).toEqual([
      { ...both, vcpu: 0 },
      { ...both, vcpu: 1 },
    ]);
    expect(of(true)).toEqual([
      { kind: "setAffinity", vcpu: 0, lowCpus: 0, highCpus: 2 },
      { kind: "setAffinity", vcpu: 1, lowCpus: 4, highCpus: 0 },
    ]);
  });

  it("set weight and cap together, for the scheduler of the domain's pool", () => {
    const placed = (keys: Partial<DomainDescription>) =>
      planProcessors({ domains: [domainOf("web", keys)], pools: [realtime] }).get("web")?.placement;
    expect(placed({ weight: 512 })).toEqual([
      { kind: "setShare", scheduler: 6, weight: 512, cap: 0 },
    ]);
    expect(placed({ cap: 50, pool: "realtime" })).toEqual([
      { kind: "setShare", scheduler: 5, weight: 256, cap: 50 },
    ]);
  });

  it("want a host with every CPU that is named, and Xen to know of pools", () => {
    const of = (keys: Partial<DomainDescription>, pools: readonly CpuPool[] = []) => {
      const planned = [...planProcessors({ domains: [domainOf("web", keys)], pools }).values()];
      const operations = planned.flatMap(({ pool, placement }) => [...pool, ...placement]);
      return { cpus: cpusNeeded({ operations }), moves: movesCpus({ operations }) };
    };
    expect(of({})).toEqual({ cpus: 1, moves: false });
    expect(of({ cpus: [0, 40] })).toEqual({ cpus: 41, moves: false });
    expect(of({ pool: "realtime" }, [realtime])).toEqual({ cpus: 4, moves: true });
  });

  it("name each CPU by a bit, whichever they are", () => {
    const cpus = fc.uniqueArray(fc.integer({ min: 0, max: 63 }), { minLength: 1 });
    fc.assert(
      fc.property(cpus, (given) => {
        const planned = planProcessors({ domains: [domainOf("web", { cpus: given })] });
        const [operation] = planned.get("web")?.placement ?? [];
        if (operation?.kind !== "setAffinity") throw new Error("no affinity");
        expect(cpusIn(operation.lowCpus, operation.highCpus)).toEqual(
          given.toSorted((a, b) => a - b),
        );
      }),
    );
  });
});
