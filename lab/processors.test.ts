// SPDX-License-Identifier: Apache-2.0
// Where domains run, on a host with several CPUs: what Xen itself says of it, by its debug keys.
// Not in virtual time, which stands still in QEMU where there is more than one CPU.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LaunchStatus } from "../contract/receipt.js";
import type { Architecture } from "../setup/paths.js";
import { keysToXen, pressKeys } from "./debug-keys.js";
import { type Booted, booted, compiledExample, everyArchitecture } from "./lab-bench.js";
import { parseLogLine } from "./xen-log.js";

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "domb-processors-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** Debug keys for run queues and for domains, each with the last line that it brings for the example. */
const keys = [
  ["r", "CPU[03] sibling="],
  ["q", "Notifying guest 3:0"],
] as const;

/** Boots the example, and asks Xen where its domains run: one key after another, or it heeds the last. */
async function bootedPools(architecture: Architecture): Promise<Booted> {
  const { image, xenCommandLine } = await compiledExample("cpu-pools", architecture);
  const consoleSocket = join(directory, `console-${architecture}`);
  let heard = (_line: string): void => undefined;
  return booted(image, `${xenCommandLine} ${keysToXen}`, {
    icount: false,
    consoleSocket,
    onLine: (line) => heard(line),
    beforeEnd: async () => {
      for (const [key, lastLine] of keys) {
        const told = new Promise<void>((resolve) => {
          heard = (line) => {
            if (line.includes(lastLine)) resolve();
          };
        });
        await pressKeys(consoleSocket, key);
        await told;
      }
    },
  });
}

describe.each(everyArchitecture)("examples/cpu-pools on %s", (_, architecture) => {
  let launch: Booted;
  /** What Xen said, with one space where it has several. */
  let said: readonly string[];

  beforeAll(async () => {
    launch = await bootedPools(architecture);
    said = launch.xenLog.split("\n").flatMap((line) => {
      const parsed = parseLogLine(line);
      return parsed?.from === "xen" ? [parsed.text.trim().replaceAll(/\s+/g, " ")] : [];
    });
  });

  /** The lines from one that begins so to the next one that begins otherwise. */
  function part(begin: string, end: string): readonly string[] {
    const from = said.findIndex((line) => line.startsWith(begin));
    const to = said.findIndex((line, index) => index > from && line.startsWith(end));
    return from < 0 ? [] : said.slice(from, to < 0 ? undefined : to);
  }

  it("brings up every domain and each of its vCPUs, and the boot domain is gone", () => {
    expect(launch.outcome).toMatchObject({ status: "success", bootDomain: { exited: true } });
    expect(launch.outputs.controller).toContain("cpus: started 1\n");
    expect(launch.outputs.recorder).toContain("cpus: started 1\n");
  });

  it("has a pool of its own for the controller, with the null scheduler and a CPU for each vCPU", () => {
    const pool = part("Cpupool 1:", "'q' pressed");
    expect(pool).toContain("Cpus: 2-3");
    expect(pool).toContain("Scheduler: null Scheduler (null)");
    const placed = pool.flatMap(
      (line) => /\[(1\.\d)\] pcpu=(\d)$/.exec(line)?.slice(1).join() ?? [],
    );
    expect(placed.map((one) => one.split(",")[0])).toEqual(["1.0", "1.1"]);
    expect(placed.map((one) => one.split(",")[1]).sort()).toEqual(["2", "3"]);
  });

  it("leaves the other CPUs to the others, by weight and cap", () => {
    const pool = part("Cpupool 0:", "Cpupool 1:");
    expect(pool).toContain("Cpus: 0-1");
    expect(pool).toContain("Domain: 2 w 512 c 0 v 2");
    expect(pool).toContain("Domain: 3 w 256 c 50 v 1");
    expect(pool.join("\n")).not.toContain("Domain: 1");
  });

  it("pins each vCPU to its CPU, and lets others choose among theirs", () => {
    const affinities = (domid: number): readonly string[] =>
      part(`VCPU information and callbacks for domain ${domid}:`, "General information").flatMap(
        (line) => /^UNIT\d affinities: hard=\{([^}]*)\}/.exec(line)?.[1] ?? [],
      );
    expect(affinities(2)).toEqual(["1", "0"]);
    expect(affinities(3)).toEqual(["0-1"]);
  });
});

describe.each(everyArchitecture)("a host that lacks CPUs on %s", (_, architecture) => {
  it("is refused by Xen when the first CPU is missed, and nothing has started", async () => {
    const { image, xenCommandLine } = await compiledExample("cpu-pools", architecture);
    const { outcome, outputs } = await booted(image, xenCommandLine, {
      icount: false,
      qemuOptions: ["-smp", "2"],
    });
    expect(outcome).toMatchObject({
      status: "failed",
      bootDomain: { exited: true, status: LaunchStatus.hypercall },
    });
    expect(outputs).toEqual({ controller: "", recorder: "", logger: "" });
  });
});
