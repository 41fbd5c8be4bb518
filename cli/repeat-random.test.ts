// SPDX-License-Identifier: Apache-2.0
// What a random test writes down of a failing launch repeats it: bugs are planted, launches are found
// by them and made small, and the printed command then launches the very same.

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { LaunchStatus } from "../contract/receipt.js";
import * as abi from "../contract/xen-abi.js";
import { paths } from "../setup/paths.js";
import { arbitraryLaunch, type RandomLaunch } from "../simulator/random/arbitrary-launch.js";
import { type RunLaunch, runRandom, writeRepetition } from "../simulator/random/run-random.js";
import { loadBootDomain, type SimulationOptions } from "../simulator/simulate.js";
import { readReceipt } from "../xen-model/receipt-document.js";
import { domb } from "./run-domb.js";

let wasm: WebAssembly.Module;
let folder: string;

beforeAll(async () => {
  wasm = await loadBootDomain();
});

beforeEach(async () => {
  folder = await mkdtemp(join(paths.build, "random-"));
});

afterEach(() => rm(folder, { recursive: true }));

interface Found {
  readonly random: RandomLaunch;
  readonly run: RunLaunch;
}

/** The smallest launch that a judge objects to, which may be a wrong one. */
async function findLaunch(
  objects: (run: RunLaunch, random: RandomLaunch) => boolean,
  between?: SimulationOptions["between"],
): Promise<Found> {
  let found: Found | undefined;
  const promises = fc.asyncProperty(arbitraryLaunch(4), async (random) => {
    const run = await runRandom(random, { wasm, between, isXen: true });
    const isWrong = objects(run, random);
    if (isWrong) found = { random, run };
    return !isWrong;
  });
  const { failed } = await fc.check(promises, { seed: 7, numRuns: 2000 });
  return failed && found !== undefined ? found : expect.fail("no launch was found");
}

/** Runs what was written down; the receipt that the command has written. */
async function repeated({ random, run }: Found) {
  const command = await writeRepetition(random, run, folder);
  const words = command.match(/"[^"]*"|\S+/g)?.map((word) => word.replaceAll('"', "")) ?? [];
  expect(words.slice(0, 3)).toEqual(["npx", "domb", "simulate"]);
  const file = join(folder, "receipt.json");
  // The command is for the checkout's folder.
  const path = join(paths.checkout, words[3] ?? "");
  const { exitCode, stderr } = await domb("simulate", path, ...words.slice(4), "--receipt", file);
  const read = readReceipt(await readFile(file, "utf8"));
  expect(await readFile(path, "utf8")).toContain(command);
  return { exitCode, stderr, receipt: read.ok ? read.receipt : expect.fail(read.problem) };
}

const domainsOf = ({ random }: Found): number => Object.keys(random.launch.domains).length;

describe("a launch that a random test has found", () => {
  it("is small, and its command repeats it: a judge that allows no domain to be late", async () => {
    const found = await findLaunch(({ judged }) =>
      (judged.simulation?.receipt.domains ?? []).some(({ status }) => status === LaunchStatus.late),
    );
    expect(domainsOf(found)).toBeLessThanOrEqual(2);
    const { receipt } = await repeated(found);
    expect(receipt).toEqual(found.run.judged.simulation?.receipt);
    expect(receipt.domains.map(({ status }) => status)).toContain(LaunchStatus.late);
  });

  it("is repeated with its faults: a judge that allows no fault in what is undone", async () => {
    const found = await findLaunch(
      ({ judged }, { architecture }) =>
        architecture === "arm64" &&
        (judged.simulation?.receipt.main ?? judged.simulation?.receipt)?.status ===
          LaunchStatus.hypercall,
    );
    expect(found.random.faults.length + (found.random.freePercent ?? 0)).toBeGreaterThan(0);
    const { receipt } = await repeated(found);
    expect(receipt).toEqual(found.run.judged.simulation?.receipt);
  });

  it("is repeated with its flipped bits: a judge that trusts a damaged image", async () => {
    const found = await findLaunch(
      ({ judged }) => judged.simulation?.receipt.main?.status === LaunchStatus.planDigest,
    );
    expect(found.random.flips).toHaveLength(1);
    // A plan that is refused, and one in its place.
    expect(domainsOf(found)).toBe(2);
    const { receipt } = await repeated(found);
    expect(receipt).toEqual(found.run.judged.simulation?.receipt);
  });

  it("shows a boot domain that starts domains too early, in the fewest that can", async () => {
    const early = /^d\d+ was started at \d+ ns, after d\d+, /;
    const found = await findLaunch(
      ({ judged }) => judged.broken.some((promise) => early.test(promise)),
      impatient,
    );
    expect(domainsOf(found)).toBe(2);
    // The boot domain that is built does not: the command shows that it keeps its promises.
    const { exitCode, receipt } = await repeated(found);
    expect(exitCode).toBe(0);
    expect(receipt.status).toBe(LaunchStatus.success);
  });
});

/** Plays a boot domain that takes every domain for ready that it has started. */
const impatient: SimulationOptions["between"] = ({ machine, xen }, memory) => {
  const started: number[] = [];
  return {
    machine,
    xen: {
      ...xen,
      domctl: (argument) => {
        const view = new DataView(memory().buffer, argument >>> 0);
        if (view.getUint32(abi.xen_domctl_cmd_offset, true) === abi.XEN_DOMCTL_unpausedomain) {
          started.push(view.getUint16(abi.xen_domctl_domain_offset, true));
        }
        return xen.domctl(argument);
      },
      bootDomainOp: (command, argument) => {
        const answer = xen.bootDomainOp(command, argument);
        const view = new DataView(memory().buffer, argument >>> 0);
        if (command !== abi.XEN_BOOT_DOMAIN_wait) return answer;
        if (view.getUint32(abi.xen_boot_domain_wait_event_offset, true) !== 0) return answer;
        const domid = started.shift();
        if (domid === undefined) return answer;
        const event = abi.XEN_BOOT_DOMAIN_EVENT_signalled;
        view.setUint32(abi.xen_boot_domain_wait_event_offset, event, true);
        view.setUint16(abi.xen_boot_domain_wait_domid_offset, domid, true);
        return answer;
      },
    },
  };
};
