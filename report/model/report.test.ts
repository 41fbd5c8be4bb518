// SPDX-License-Identifier: Apache-2.0
// Reports of launches that the boot domain's own wasm made in the simulator.

import { describe, expect, test } from "vitest";
import type { LaunchInput } from "../../compiler/description/define-launch.js";
import { privilegesOfLaunch } from "../../compiler/privileges/privileges.js";
import {
  type Otherwise,
  receiptOf,
  type SimulatedLaunch,
  simulated,
} from "../../simulator/simulated-bench.js";
import type { Receipt } from "../../xen-model/receipt.js";
import { busy, chain, hello, recoverable, thirtyTwo, two } from "../example-launches.js";
import { type Report, reportOf } from "./report.js";

const hostCode = {
  ...{ xenBytes: 2_000_000, bootDomainBytes: 30_000 },
  patches: { count: 3, lines: 100 },
};

function pictured({ image, receipt }: SimulatedLaunch): Report {
  const source = "receipt" as const;
  const made = reportOf({ imageFile: "launch.img", image, receipt, source, hostCode });
  if (!made.ok) throw new Error(made.problem);
  return made.report;
}

async function drawn(launch: LaunchInput, otherwise?: Otherwise): Promise<Report> {
  return pictured(await simulated(launch, otherwise));
}

const links: NonNullable<LaunchInput["links"]> = [
  {
    ...{ kind: "shared-memory", name: "ring", size: "16 KiB" },
    ...{ writers: ["storage"], readers: ["web"] },
  },
];

/** The receipt of the launch that a command names. */
function repeated(
  { bytes, image }: SimulatedLaunch,
  command: string | null = "",
): Promise<Receipt> {
  const valuesOf = (option: string): string[] =>
    [...(command ?? "").matchAll(new RegExp(` --${option} (\\S+)`, "g"))].map(
      ([, value = ""]) => value,
    );
  return receiptOf(bytes, image, {
    behave: valuesOf("behave"),
    faults: valuesOf("fault"),
    flipped: valuesOf("flip").map((value) => Number(value.replace(/:0$/, ""))),
  });
}

/** What failed in a launch, and how. */
function failureIn({ status, step, operation, domain, error, domains }: Receipt): object {
  const states = domains.map(({ name, state }) => [name, state]);
  return { status, step, operation, domain, error, states };
}

describe("a report", () => {
  test("is of a launch in which all went well", async () => {
    const { outcome, runs, domains } = await drawn(two);
    expect(outcome).toBe("success");
    expect(runs).toHaveLength(1);
    expect(runs[0]).toMatchObject({ plan: "main", status: "success", failures: [] });
    expect(domains.map(({ name, cmdline }) => [name, cmdline])).toEqual([
      ["one", "number=1"],
      ["two", "number=2"],
    ]);
    const { timeline, criticalPath, spentNs } = runs[0];
    expect(criticalPath.lengthNs).toBe(timeline.durationNs);
    expect(Object.values(spentNs).reduce((sum, time) => sum + time, 0)).toBe(timeline.durationNs);
  });

  test("has the wait for what was awaited on its critical path", async () => {
    const { runs } = await drawn(chain, { behave: ["storage=signal@9ms", "database=signal@4ms"] });
    const { timeline, criticalPath } = runs[0];
    const readiness = criticalPath.links.flatMap((link) =>
      link.kind === "readiness" ? [timeline.domains[link.domain]?.name] : [],
    );
    expect(readiness).toEqual(["storage", "database"]);
    expect(timeline.waits.map(({ awaited }) => awaited)).toEqual([[0], [1]]);
    const waited = timeline.waits.reduce((sum, one) => sum + one.endedNs - one.beganNs, 0);
    expect(waited / runs[0].spentNs.wait).toBeCloseTo(1, 2);
  });

  test("draws domains that are alike once in the order, and each way between them", async () => {
    const { runs } = await drawn(thirtyTwo, busy);
    const { order, domains, timeline } = runs[0];
    const nameOf = (index: number | undefined) => domains[index ?? 0]?.name;
    const nodes = order.nodes.map((node) => node.domains.map(nameOf));
    expect(nodes.map(([first, ...rest]) => [first, rest.length])).toEqual([
      ...[
        ["storage", 0],
        ["network", 0],
        ["database", 0],
        ["migrate", 0],
        ["web-1", 19],
      ],
      ...[
        ["cache", 0],
        ["cache-warmer", 0],
      ],
    ]);
    const edges = order.edges.map(({ from, to, critical }) => {
      return `${nodes[from]?.[0]} ${critical ? "⇒" : "→"} ${nodes[to]?.[0]}`;
    });
    expect(edges.sort()).toEqual([
      "cache → cache-warmer",
      "database ⇒ migrate",
      "migrate ⇒ web-1",
      "network → cache",
      "network → web-1",
      "storage ⇒ database",
    ]);
    expect(order.unordered.map(nameOf)).toEqual([1, 2, 3, 4, 5, 6].map((one) => `batch-${one}`));
    const ends = ["migrate", "cache", "cache-warmer", "web-1"].map((name) => {
      const { state, failure } = timeline.domains.find((life) => life.name === name) ?? {};
      return [state, failure];
    });
    expect(ends).toEqual([
      ...[
        ["finished", null],
        ["failed", "late"],
        ["skipped", null],
        ["started", null],
      ],
    ]);
  });

  test("counts in a trusted base who has power over the domain", async () => {
    const { trustedBases, privileges, domains } = await drawn(thirtyTwo);
    const partiesOf = (name: string) =>
      trustedBases
        .find(({ domain }) => domain === name)
        ?.parties.map(({ who, part }) => `${part} ${who}`);
    expect(partiesOf("storage")).toEqual([
      "xen Xen",
      "boot-domain boot domain",
      "kernel storage's kernel",
    ]);
    expect(partiesOf("batch-1")).toEqual([
      ...["xen Xen", "boot-domain boot domain", "kernel batch-1's kernel", "controller storage"],
    ]);
    const base = trustedBases.find(({ domain }) => domain === "batch-1");
    const sizes = base?.parties.map(({ bytes }) => bytes ?? 0) ?? [];
    expect(base?.bytes).toBe(sizes.reduce((sum, bytes) => sum + bytes, 0));
    expect(privileges).toEqual(privilegesOfLaunch(domains));
  });

  test("says of a control domain that may end the host only the one, and of others the other", async () => {
    const launch: LaunchInput = {
      domb: 1,
      domains: { watch: hello({ onDeath: "reboot" }), web: hello() },
    };
    const { trustedBases } = await drawn(launch);
    const parties = trustedBases[1]?.parties.map(({ who, part }) => `${part} ${who}`);
    expect(parties).toContain("host watch");
  });

  test("lays out all of the host's memory, and each guest's", async () => {
    const { memory } = await drawn(thirtyTwo);
    const total = memory.host.shares.reduce((sum, { bytes }) => sum + bytes, 0);
    expect(total).toBe(memory.host.totalBytes);
    for (const { bytes, regions } of memory.guests) {
      const sizes = regions.filter(({ what }) => what !== "reserved").map((one) => one.bytes);
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(bytes);
    }
    const names = memory.guests.flatMap(({ domains }) => domains);
    expect(new Set(names).size).toBe(32);
  });
});

describe("a failure", () => {
  test("has the step and the command that repeats it in the simulator", async () => {
    const faults = ["createDomain:2=ENOMEM", "populate:3=ENOMEM", "setContext:2=EINVAL"];
    for (const fault of [...faults, "start:3=EPERM", "openChannel:2=EBUSY", "drop:1=EPERM"]) {
      const { outcome, runs } = await drawn(chain, { faults: [fault] });
      expect(outcome).toBe("failed");
      const [failure] = runs[0].failures;
      expect(failure).toMatchObject({ endedLaunch: true, status: "hypercall", advice: null });
      expect(failure?.command).toBe(`domb simulate launch.img --fault ${fault}`);
    }
  });

  test("after another plan's is repeated with it", async () => {
    const faults = ["copy:2=ENOENT", "copy:4=ENOENT"];
    const { outcome, runs } = await drawn(recoverable, { faults: faults.slice(0, 1) });
    expect(outcome).toBe("recovered");
    expect(runs.map(({ plan }) => plan)).toEqual(["main", "recovery"]);
    const launch = await simulated(recoverable, { faults });
    const { outcome: worse, runs: both } = pictured(launch);
    expect(worse).toBe("failed");
    expect(await repeated(launch, both[1]?.failures[0]?.command)).toEqual(launch.receipt);
  });

  test.each([
    ["a domain that is late", { behave: ["storage=signal@9ms", "database=silent"] }],
    ["a job that signals and does not end", { behave: ["database=signal@3ms"] }],
    ["a domain that crashes", { behave: ["database=crash@3ms"] }],
    ["a domain that reboots before it is ready", { behave: ["database=end@70us:reboot"] }],
    ["a hypercall that fails", { faults: ["grant:1=EPERM"] }],
  ])("of %s happens again by its command", async (_, otherwise: Otherwise) => {
    const job = { when: "finished", within: "20 ms" } as const;
    const launch = await simulated(
      { ...chain, links, domains: { ...chain.domains, database: hello({ ready: job }) } },
      otherwise,
    );
    const { runs } = pictured(launch);
    const again = await repeated(launch, runs[0].failures[0]?.command);
    expect(failureIn(again)).toEqual(failureIn(launch.receipt));
  });

  test("of a material that was damaged on its way happens again by its command", async () => {
    const { image } = await simulated(two);
    const [material] = image.plan.materials;
    const launch = await simulated(two, { flipped: [(material?.offset ?? 0) + 5] });
    const { runs } = pictured(launch);
    const [failure] = runs[0].failures;
    expect(failure).toMatchObject({ status: "materialDigest", operationKind: "verify", step: 1 });
    const again = await repeated(launch, failure?.command);
    expect(failureIn(again)).toEqual(failureIn(launch.receipt));
  });

  test("of a domain without which the launch went on does not end it", async () => {
    const { outcome, runs } = await drawn(thirtyTwo, { behave: ["cache=crash@3ms"] });
    expect(outcome).toBe("success");
    expect(runs[0].failures).toMatchObject([
      { endedLaunch: false, status: "ended", domain: "cache", step: 0 },
    ]);
    expect(runs[0].failures[0]?.command).toMatch(
      /^domb simulate launch\.img --behave cache=end@30\d\dus:crash$/,
    );
  });

  test("by a domain that was late names it, and what was undone when", async () => {
    const { outcome, runs } = await drawn(chain, { behave: ["database=silent"] });
    expect(outcome).toBe("failed");
    const [failure] = runs[0].failures;
    expect(failure).toMatchObject({ status: "late", domain: "database" });
    expect(failure?.reason).toBe("database was not ready in time");
    expect(failure?.command).toBe("domb simulate launch.img --behave database=silent");
    const { activities, domains } = runs[0].timeline;
    const { beganNs = 0 } = activities.at(-1) ?? {};
    expect(activities.at(-1)?.kind).toBe("undo");
    expect(domains[1]?.readiness?.endedNs).toBeLessThanOrEqual(beganNs);
  });
});

describe("a receipt of another launch", () => {
  test("is refused with what differs", async () => {
    const [first, other] = [await simulated(two), await simulated(chain)];
    const source = "receipt" as const;
    const input = { imageFile: "launch.img", image: first.image, source, hostCode };
    const made = reportOf({ ...input, receipt: other.receipt });
    expect(made).toMatchObject({ ok: false, problem: /^its main plan has the digest / });
    const { domains, steps } = first.receipt;
    const fewer = { ...first.receipt, domains: domains.slice(1) };
    expect(reportOf({ ...input, receipt: fewer })).toMatchObject({ problem: /1 domains/ });
    const shorter = { ...first.receipt, steps: steps.slice(1) };
    expect(reportOf({ ...input, receipt: shorter })).toMatchObject({ problem: /5 steps/ });
    const recovered = { ...first.receipt, main: first.receipt };
    expect(reportOf({ ...input, receipt: recovered })).toMatchObject({ problem: /recovery plan/ });
  });

  test("is none where the plan was refused, and nothing is known of it", async () => {
    const { image, receipt } = await simulated(two);
    const refused = { ...receipt, status: 13, domains: [], steps: [], planDigest: "0".repeat(64) };
    const made = reportOf({
      ...{ imageFile: "launch.img", image, receipt: refused, source: "receipt", hostCode },
    });
    if (!made.ok) throw new Error(made.problem);
    const { timeline, failures } = made.report.runs[0];
    expect(timeline.activities.map(({ kind }) => kind)).toEqual(["accept", "undo"]);
    expect(timeline.domains.map(({ state }) => state)).toEqual(["absent", "absent"]);
    expect(failures[0]?.advice).toMatch(/domb verify/);
  });
});
