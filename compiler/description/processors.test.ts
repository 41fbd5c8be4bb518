// SPDX-License-Identifier: Apache-2.0
// What a description says of physical CPUs; each rule's bad example is in invalid/.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { Result } from "../diagnostics/diagnostic.js";
import type { LaunchInput } from "./define-launch.js";
import type { LaunchDescription } from "./description.js";
import { describeLaunch, readDescription } from "./load-description.js";

const web = { kernel: "k", memory: "4 MiB" };

function launchOf(result: Result<LaunchDescription>): LaunchDescription {
  if (!result.ok) throw new Error(result.diagnostics.map(({ message }) => message).join("\n"));
  return result.value;
}

/** What is told of a launch with these parts beside a domain. */
function faults(parts: object): readonly { readonly code: string; readonly message: string }[] {
  const launch = { domb: 1, domains: { web }, ...parts } as LaunchInput;
  return describeLaunch(launch, "/").diagnostics.map(({ code, message }) => ({ code, message }));
}

const text = [
  "domb: 1",
  "host: { cpus: 6 }",
  "pools:",
  "  realtime: { cpus: [3, 2] }",
  '  fast: { cpus: [4], scheduler: "null" }',
  "domains:",
  "  control: { kernel: k, memory: 4 MiB, vcpus: 2, pool: realtime, cpus: [2, 3], pinned: true }",
  "  motor: { kernel: k, memory: 4 MiB, pool: fast }",
  "  log: { kernel: k, memory: 4 MiB, vcpus: 2, weight: 64, cap: 150, cpus: [0] }",
  "  rest: { kernel: k, memory: 4 MiB, pool: Pool-0 }",
].join("\n");

describe("CPUs in a description", () => {
  it("are read whole, with defaults", () => {
    const { domains, pools } = launchOf(readDescription(text, "launch.yaml"));
    expect(pools).toEqual([
      { name: "realtime", cpus: [3, 2], scheduler: "credit2" },
      { name: "fast", cpus: [4], scheduler: "null" },
    ]);
    const of = domains.map(({ cpus, pinned, weight, cap, pool }) => {
      return { cpus, pinned, weight, cap, pool };
    });
    expect(of).toEqual([
      { cpus: [2, 3], pinned: true, pool: "realtime" },
      { pool: "fast" },
      { cpus: [0], weight: 64, cap: 150 },
      {},
    ]);
  });

  it("mean the same in a program", () => {
    const read = launchOf(readDescription(text, "/l/launch.yaml"));
    const given = launchOf(describeLaunch(parse(text), "/l"));
    expect({ ...given, placeOf: 0, source: 0 }).toEqual({ ...read, placeOf: 0, source: 0 });
  });

  it("may be any that there are, where the description does not say how many", () => {
    expect(faults({ domains: { web: { ...web, cpus: [0, 63] } } })).toEqual([]);
    expect(faults({ pools: { all: { cpus: [...Array(64).keys()].slice(1) } } })).toEqual([]);
  });

  it("leave a pool without domains to those that come later", () => {
    expect(faults({ host: { cpus: 2 }, pools: { later: { cpus: [1] } } })).toEqual([]);
  });
});

describe("a fault of CPUs", () => {
  it.each([
    [{ host: { cpus: 0 } }, "DOMB1018", "host.cpus"],
    [{ host: { cpus: "4" } }, "DOMB1014", "host.cpus"],
    [{ pools: [] }, "DOMB1014", "pools"],
    [{ pools: { fast: [2] } }, "DOMB1014", "pool fast"],
    [{ pools: { fast: {} } }, "DOMB1013", "cpus of pool fast"],
    [{ pools: { fast: { cpus: 2 } } }, "DOMB1014", "cpus of pool fast"],
    [{ pools: { fast: { cpus: [64] } } }, "DOMB1018", "cpus[0] of pool fast"],
    [{ pools: { fast: { cpus: [1.5] } } }, "DOMB1019", "cpus[0] of pool fast"],
    [{ pools: { fast: { cpus: [2], scheduler: null } } }, "DOMB1014", "scheduler of pool fast"],
    [{ pools: { fast: { cpus: [2], scheduler: "sedf" } } }, "DOMB1016", "scheduler of pool fast"],
    [{ pools: { fast: { cpus: [2], sheduler: "rtds" } } }, "DOMB1011", "pool fast has"],
    [{ domains: { web: { ...web, cpus: 2 } } }, "DOMB1014", "cpus of domain web"],
    [{ domains: { web: { ...web, cpus: ["2"] } } }, "DOMB1014", "cpus[0] of domain web"],
    [{ domains: { web: { ...web, cpus: [0], pinned: "yes" } } }, "DOMB1014", "pinned of"],
    [{ domains: { web: { ...web, weight: 0 } } }, "DOMB1018", "weight of domain web"],
    [{ domains: { web: { ...web, weight: 65536 } } }, "DOMB1018", "weight of domain web"],
    [{ domains: { web: { ...web, cap: -1 } } }, "DOMB1018", "cap of domain web"],
    [{ domains: { web: { ...web, pool: 0 } } }, "DOMB1014", "pool of domain web"],
  ])("is told of %j", (parts, code, subject) => {
    const told = faults(parts);
    expect(told).toMatchObject([{ code }]);
    expect(told[0]?.message).toContain(subject);
  });

  it("says how a null scheduler is written", () => {
    const { diagnostics } = readDescription(
      text.replace('"null"', "null").replace("pool: fast", "pool: realtime"),
      "launch.yaml",
    );
    expect(diagnostics).toMatchObject([{ fix: expect.stringContaining('`"null"`, in quotes') }]);
  });

  it("is one only where it is, whatever the numbers", () => {
    const cpus = fc.uniqueArray(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 6 });
    const arbitrary = fc.record({
      host: fc.integer({ min: 1, max: 10 }),
      pool: cpus,
      own: cpus,
      inPool: fc.boolean(),
      vcpus: fc.integer({ min: 1, max: 4 }),
      pinned: fc.boolean(),
    });
    fc.assert(
      fc.property(arbitrary, ({ host, pool, own, inPool, vcpus, pinned }) => {
        const domain = { ...web, vcpus, cpus: own, pinned, ...(inPool ? { pool: "p" } : {}) };
        const told = faults({
          host: { cpus: host },
          pools: { p: { cpus: pool } },
          domains: { web: domain },
        });
        const expected = new Set([
          ...([...pool, ...own].some((cpu) => cpu >= host) ? ["DOMB2303"] : []),
          ...(pool.includes(0) ? ["DOMB2304"] : []),
          ...(own.some((cpu) => pool.includes(cpu) !== inPool) ? ["DOMB2305"] : []),
          ...(pinned && own.length < vcpus ? ["DOMB2306"] : []),
        ]);
        expect(new Set(told.map(({ code }) => code))).toEqual(expected);
      }),
    );
  });
});
