// SPDX-License-Identifier: Apache-2.0
// Links from the description to Xen: what domains are told is what the model of Xen then has.

import { beforeAll, describe, expect, it } from "vitest";
import { BOOT_DOMID, PAGE_SIZE } from "../../contract/limits.js";
import { compiled, everyArchitecture } from "../../lab/lab-bench.js";
import { loadBootDomain, type Simulation, simulateLaunch } from "../../simulator/simulate.js";
import { grantLimitsFor } from "../../xen-model/domain-tables.js";
import { machines } from "../../xen-model/machines.js";
import type { CompiledLaunch } from "../compile.js";
import type { LaunchInput } from "../description/define-launch.js";
import { readStartOfDay } from "../explain/start.js";
import { readTold, type Told } from "../guest/told.js";
import { noWiring } from "./wiring.js";

const kernels = { x86_64: "build/guests/hello.elf", arm64: "build/guests/arm64/hello.elf" };

const FREE_PAGES = 0x100000;

/** What each domain of the plan finds in its command line, by domid. */
function toldOf({
  plan,
  materials,
  architecture,
}: CompiledLaunch): ReadonlyMap<number, readonly Told[]> {
  return new Map(
    plan.domains.map(({ domid }, domain) => {
      const copies = plan.steps
        .filter((step) => step.domain === domain)
        .flatMap(({ firstOperation, operationCount }) =>
          plan.operations.slice(firstOperation, firstOperation + operationCount),
        )
        .flatMap((operation) => (operation.kind === "copy" ? [operation] : []));
      const start = copies.find(({ material }) => plan.materials[material]?.kind === "startOfDay");
      const bytes = materials[start?.material ?? -1]?.bytes ?? new Uint8Array();
      const address = (start?.frame ?? 0) * PAGE_SIZE;
      return [domid, readTold(readStartOfDay(architecture, bytes, address).cmdline ?? "").told];
    }),
  );
}

describe.each(everyArchitecture)("a launch with links on %s", (_, architecture) => {
  const plain = { kernel: kernels[architecture], memory: "96 MiB" };
  const input: LaunchInput = {
    domb: 1,
    domains: {
      rescue: { ...plain, roles: ["recovery"] },
      storage: { ...plain, domid: 40 },
      web: { ...plain, after: ["storage"] },
      db: plain,
    },
    links: [
      { kind: "event-channel", name: "bell", between: ["storage", "web"] },
      { kind: "event-channel", name: "alarm", between: ["storage", "db"] },
      {
        ...{ kind: "shared-memory", name: "ring", size: "64 MiB" },
        ...{ writers: ["storage", "db"], readers: ["web"] },
      },
      {
        ...{ kind: "shared-memory", name: "log", size: "12 KiB" },
        ...{ writers: ["db"], readers: ["storage"] },
      },
    ],
  };
  let launch: CompiledLaunch;
  let simulation: Simulation;
  beforeAll(async () => {
    launch = await compiled(input);
    simulation = simulateLaunch(launch.image, {
      wasm: await loadBootDomain(),
      machine: machines[architecture],
      freePages: FREE_PAGES,
      grantLimits: grantLimitsFor(launch.plan.domains),
    });
  });

  it("succeeds, and gives each domain what it is told of, and nothing else", () => {
    expect(simulation.receipt.status).toBe(0);
    const expected = new Map(
      launch.plan.domains.map(({ domid }) => [domid, { ports: 0, grants: 0 }]),
    );
    const of = (domid: number) => simulation.domains.get(domid);
    const count = (domid: number, what: "ports" | "grants", by: number) => {
      const counts = expected.get(domid);
      if (counts !== undefined) counts[what] += by;
    };
    for (const [domid, told] of toldOf(launch)) {
      for (const word of told) {
        switch (word.kind) {
          case "ready":
            expect(word.peer).toBe(BOOT_DOMID);
            break;
          case "open":
            count(domid, "ports", 1);
            expect(of(domid)?.ports.opened.get(word.port)).toBe(word.peer);
            break;
          case "bind":
            expect(of(word.peer)?.ports.opened.get(word.port)).toBe(domid);
            break;
          case "own":
            count(domid, "grants", word.pages);
            for (let page = 0; page < word.pages; page++) {
              const grant = of(domid)?.grants.get(word.reference + page);
              const gfn = word.frame + page;
              if (grant?.gfn !== gfn || grant.remote !== domid || grant.readOnly) {
                expect(grant).toEqual({ gfn, remote: domid, readOnly: false });
              }
            }
            break;
          case "map": {
            count(word.peer, "grants", word.pages);
            const readOnly = word.access === "read";
            for (let page = 0; page < word.pages; page++) {
              const grant = of(word.peer)?.grants.get(word.reference + page);
              if (grant?.remote !== domid || grant.readOnly !== readOnly) {
                expect(grant).toMatchObject({ remote: domid, readOnly });
              }
            }
          }
        }
      }
    }
    for (const [domid, counts] of expected) {
      expect(of(domid)?.ports.opened.size).toBe(counts.ports);
      expect(of(domid)?.grants.size).toBe(counts.grants);
    }
  });

  it("takes from the host what the compiler says, and no more", () => {
    const demanded = launch.demand.domains.reduce((sum, { pages }) => sum + pages, 0);
    expect(FREE_PAGES - simulation.freePages).toBeLessThanOrEqual(demanded);
  });

  it("asks Xen for the tables that its links need", () => {
    // 16,384 pages for three domains, and the four frames of a kernel's own.
    expect(launch.xenCommandLine).toContain("gnttab_max_frames=100");
    const [storage] = launch.plan.domains;
    expect(storage?.maxGrantFrames).toBe(100);
  });

  it("clears all memory of links before any domain starts", () => {
    const clears = launch.plan.operations.filter(({ kind }) => kind === "clear");
    const [ring, log] = [16384, 3];
    expect(clears.map((clear) => "count" in clear && clear.count)).toEqual(
      expect.arrayContaining([ring, log]),
    );
  });
});

describe("a plan of domains without links", () => {
  it("has no operation for them, and the limits that a kernel needs by itself", () => {
    const limits = { maxEventChannelPort: 127, maxGrantFrames: 4, maxMaptrackFrames: 0 };
    expect(noWiring).toEqual({ operations: [], ...limits });
  });
});
