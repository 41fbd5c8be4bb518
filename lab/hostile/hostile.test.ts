// SPDX-License-Identifier: Apache-2.0
// A boot domain that turns hostile after its launch can do nothing on real Xen but what attempts.ts
// says; afterwards Xen works, what runs runs on, and no page is lost.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeImage } from "../../compiler/image/encode-image.js";
import { privilegesOf } from "../../compiler/plan/roles.js";
import type { Architecture } from "../../setup/paths.js";
import { errnos } from "../../xen-model/errno.js";
import { buildAltered, withBootDomain } from "../altered-boot-domain.js";
import type { BootRequest } from "../boot.js";
import { keysToXen, pressKeys } from "../debug-keys.js";
import { type Booted, booted, compiled, everyArchitecture } from "../lab-bench.js";
import { type Attempt, attemptsOn } from "./attempts.js";

const gone = "Boot domain destroyed";

let directory: string;

/** Two domains that run on, on a host that is to have no xenstore domain. */
async function launchOn(architecture: Architecture) {
  const folder = architecture === "x86_64" ? "" : `${architecture}/`;
  const kernel = `build/guests/${folder}ticker.elf`;
  const ticker = { kernel, memory: "32 MiB", output: "xen-log" } as const;
  const { plan, materials, xenCommandLine } = await compiled({
    domb: 1,
    domains: { first: { ...ticker, roles: ["control"] }, second: ticker },
  });
  const bytes = materials.map((material) => material.bytes);
  const dropping = { ...plan, dropped: privilegesOf(["xenstore"]) };
  const image = encodeImage(dropping, bytes, { architecture });
  return { image, xenCommandLine };
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "domb-hostile-"));
});

afterAll(() => rm(directory, { recursive: true, force: true }));

/** Boots the hostile boot domain, built in one of its ways. */
async function attack(
  architecture: Architecture,
  name: string,
  defines: readonly string[],
  more: Partial<BootRequest> = {},
  option = "",
): Promise<Booted> {
  const kernel = await buildAltered(name, "lab/hostile/hostile.c", defines, architecture);
  const { image, xenCommandLine } = await launchOn(architecture);
  const options = `${xenCommandLine.replace(/boot-domain=\w+/, `$&${option}`)} ${keysToXen}`;
  const until = [{ domain: "first", text: "domb: domain is up" }];
  return withBootDomain(kernel, () => booted(image, options, { until, ...more }));
}

/** Resolves when a line has the words, after one that has those before them. */
function saidAfter(before: string, words: string) {
  let resolve = (): void => undefined;
  let begun = false;
  const said = new Promise<void>((done) => {
    resolve = done;
  });
  const onLine = (line: string): void => {
    if (begun && line.includes(words)) resolve();
    begun ||= line.includes(before);
  };
  return { said, onLine };
}

/** Pages that were free when the boot domain was gone. */
function freePages({ xenLog }: Booted): number {
  return Number(/(\d+) pages free/.exec(xenLog)?.[1]);
}

const troubles = /\bpanic\b|Panic on CPU|Assertion|Xen BUG|FATAL|Xen call trace|DOUBLE FAULT/;

describe.each(everyArchitecture)("a boot domain that turns hostile on %s", (_, architecture) => {
  const groups = attemptsOn(architecture);
  let attacked: Booted;
  let answers: ReadonlyMap<string, number>;

  beforeAll(async () => {
    const consoleSocket = join(directory, `console-${architecture}`);
    const runsOn = saidAfter(gone, "ticker:");
    const told = saidAfter("'q' pressed", "Notifying guest 1:0");
    attacked = await attack(architecture, "hostile", ["QUIET=0", "ENDING=0"], {
      consoleSocket,
      onLine: (line) => {
        runsOn.onLine(line);
        told.onLine(line);
      },
      beforeEnd: async () => {
        await runsOn.said;
        await pressKeys(consoleSocket, "q");
        await told.said;
      },
    });
    const lines = attacked.xenLog.matchAll(/hostile: (\w+) (-?\d+)$/gm);
    answers = new Map([...lines].map(([, name, answer]) => [name ?? "", Number(answer)]));
  });

  it("makes the attempts of the table, and no other", () => {
    const names = groups.flatMap(({ attempts }) => attempts.map(({ name }) => name));
    expect([...answers.keys()].sort()).toEqual([...names].sort());
  });

  describe.each(groups)("$title", ({ attempts }) => {
    const wanted = ({ answer }: Attempt): number =>
      typeof answer === "number" ? answer : -(errnos.get(answer) ?? Number.NaN);
    it.each(attempts)("$what: $answer", (attempt) => {
      expect(answers.get(attempt.name)).toBe(wanted(attempt));
    });
  });

  it("does not come back from its exit", () => {
    expect(attacked.outcome.bootDomain).toMatchObject({ exited: true, status: 0 });
    expect(attacked.xenLog).not.toContain("after_exit");
  });

  it("does Xen no harm: it answers its debug keys, and knows of one domain alone", () => {
    expect(attacked.xenLog).not.toMatch(troubles);
    const told = attacked.xenLog.slice(attacked.xenLog.indexOf("'q' pressed"));
    const domains = told.matchAll(/General information for domain (\d+)/g);
    expect([...domains].map(([, domid]) => domid)).toEqual(["1"]);
  });

  it("leaves no page fewer free than one that is not hostile", async () => {
    const quiet = await attack(architecture, "hostile-quiet", ["QUIET=1", "ENDING=0"]);
    expect(freePages(quiet)).toBeGreaterThan(0);
    expect(freePages(attacked)).toBeGreaterThanOrEqual(freePages(quiet));
  });
});

describe.each(everyArchitecture)("a boot domain that ends otherwise on %s", (_, architecture) => {
  it("by a fault of its own is destroyed, and the launch has failed", async () => {
    const { xenLog } = await attack(
      architecture,
      "hostile-fault",
      ["QUIET=0", "ENDING=1"],
      {},
      ",failure=stay",
    );
    expect(xenLog).toContain("boot domain ended without a launch status");
    expect(xenLog).toContain(gone);
    expect(xenLog).not.toMatch(troubles);
  });

  it("by never ending is ended by the time limit", async () => {
    const option = ",timeout=2,failure=stay";
    const { xenLog } = await attack(
      architecture,
      "hostile-loop",
      ["QUIET=0", "ENDING=2"],
      {},
      option,
    );
    expect(xenLog).toContain("boot domain ended without a launch status (shutdown reason 4)");
    expect(xenLog).toContain(gone);
  });
});

describe.each(everyArchitecture)("a boot domain while it lives on %s", (_, architecture) => {
  it("[RFC-HARDWARE] has no port, no interrupt, no device memory: Xen's debug keys say so", async () => {
    const consoleSocket = join(directory, `console-alive-${architecture}`);
    const stop = new AbortController();
    const told = saidAfter("'q' pressed", "Notifying guest 32751:0");
    void told.said.then(() => stop.abort());
    let asked = false;
    const option = ",timeout=0";
    const { xenLog } = await attack(
      architecture,
      "hostile-alive",
      ["QUIET=0", "ENDING=2"],
      {
        consoleSocket,
        signal: stop.signal,
        onLine: (line) => {
          told.onLine(line);
          if (asked || !line.includes("ticker:")) return;
          asked = true;
          void pressKeys(consoleSocket, "q");
        },
      },
      option,
    );
    const [, own = ""] = xenLog.split("General information for domain 32751");
    expect(own).toMatch(/Interrupts +\{ \}/);
    expect(own).toMatch(/I\/O Memory +\{ \}/);
    if (architecture === "x86_64") expect(own).toMatch(/I\/O Ports +\{ \}/);
  });
});

describe("a boot domain on arm64", () => {
  const stay = ",failure=stay";

  it.each([
    ["the host's UART", "0x09000000"],
    ["the host's interrupt distributor", "0x08000000"],
    ["the host's interrupt redistributor", "0x080a0000"],
    ["the UART that domains with output have", "0x22000000"],
    ["the redistributor of a vCPU that it does not have", "0x03040000"],
    ["the PCI host bridge", "0x3eff0000"],
  ])("is ended by Xen when it reads from %s", async (_, address) => {
    const defines = ["QUIET=0", "ENDING=5", `ADDRESS=${address}`];
    const { xenLog } = await attack("arm64", "hostile-device", defines, {}, stay);
    expect(xenLog).toContain("boot domain ended without a launch status");
    expect(xenLog).toContain(gone);
    expect(xenLog).not.toContain("hostile: device_memory");
    expect(xenLog).not.toMatch(troubles);
  });

  it("ends itself, and not the host, when it resets the system", async () => {
    const { xenLog } = await attack("arm64", "hostile-reset", ["QUIET=0", "ENDING=3"], {}, stay);
    expect(xenLog).toContain("boot domain ended without a launch status (shutdown reason 1)");
    expect(xenLog).toContain(gone);
  });

  it("is ended by the time limit when it switches its CPU off", async () => {
    const option = `,timeout=2${stay}`;
    const { xenLog } = await attack("arm64", "hostile-off", ["QUIET=0", "ENDING=4"], {}, option);
    expect(xenLog).toContain("boot domain ended without a launch status (shutdown reason 4)");
    expect(xenLog).toContain(gone);
  });
});
