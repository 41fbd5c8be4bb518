// SPDX-License-Identifier: Apache-2.0
// The model of Xen answers as Xen does: the suite runs on both, and each launch leaves the same
// receipt, times apart, and the same domains running; real Xen loses no page.

import { beforeAll, describe, expect, it } from "vitest";
import { injectFaults } from "../../simulator/faults.js";
import { loadBootDomain, simulateLaunch } from "../../simulator/simulate.js";
import { plainCase } from "../../simulator/suite/suite-case.js";
import { type SuiteCase, suite } from "../../simulator/suite.js";
import { withoutTimes } from "../../xen-model/receipt.js";
import { compiledExample } from "../lab-bench.js";
import { type Batch, type BatchResult, runBatch } from "./batch.js";

const MEBIBYTE = 0x100000;
/** What a launch of the suite can have at most: more than any of them takes. */
const roomPages = 3000;

type Left = Omit<BatchResult, "receipt"> & { readonly receipt: object };

/** What each case left on real Xen and on the model, by name. */
interface Ends {
  readonly real: ReadonlyMap<string, Left>;
  readonly model: ReadonlyMap<string, Left>;
  readonly stack: Batch["stack"];
}

async function bothEnds(cases: readonly SuiteCase[], room: number, host: number): Promise<Ends> {
  const wasm = await loadBootDomain();
  const options = { roomPages: room, hostMemoryBytes: host * MEBIBYTE };
  const { results, stack } = await runBatch(cases, options);
  const model = cases.map(({ name, image, freePages, faults, trust }) => {
    const free = room === 0 ? freePages : Math.min(freePages, room);
    const inject = injectFaults(faults);
    const left = simulateLaunch(image, { wasm, freePages: free, trust, inject });
    const domains = [...left.domains.values()];
    const end: Left = {
      receipt: withoutTimes(left.receipt),
      exited: left.exit !== undefined,
      hypercalls: left.hypercalls,
      running: domains.flatMap(({ domid, started }) => (started ? [domid] : [])).sort(byNumber),
      lostPages: 0,
    };
    return [name, end] as const;
  });
  const real = results.map((result, index) => {
    const end: Left = { ...result, receipt: withoutTimes(result.receipt) };
    return [cases[index]?.name ?? "", end] as const;
  });
  return { real: new Map(real), model: new Map(model), stack };
}

function byNumber(one: number, other: number): number {
  return one - other;
}

describe("real Xen and its model", () => {
  let ends: Ends;
  let cases: readonly SuiteCase[];

  beforeAll(async () => {
    // One Xen runs all of them, without FLASK.
    cases = (await suite()).filter(({ policy }) => policy === undefined);
    ends = await bothEnds(cases, roomPages, 384);
  });

  it("run the same launches, each under a name of its own", () => {
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
    expect([...ends.real.keys()]).toEqual(cases.map(({ name }) => name));
  });

  it("use no more stack than frames and calls of the machine code allow", () => {
    expect(ends.stack.used).toBeGreaterThan(300);
    expect(ends.stack.used).toBeLessThanOrEqual(ends.stack.bound);
  });

  it.each([
    "one domain",
    "two domains",
    "labels",
    "image",
    "signature",
    "plan",
    "context",
    "limits",
    "memory",
    "faults",
  ])("[RFC-EXIT] leave the same receipts and domains: %s", (group) => {
    const names = cases.map(({ name }) => name).filter((name) => name.startsWith(group));
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) expect(ends.real.get(name), name).toEqual(ends.model.get(name));
  });
});

describe("the examples", () => {
  it("leave the same receipts and domains on real Xen and on its model", async () => {
    const files = [
      "hello/launch.yaml",
      "typescript/launch.ts",
      "two-linux/launch.yaml",
      "linux-and-hello/launch.yaml",
    ];
    const cases = await Promise.all(
      files.map(async (file) => plainCase(file, (await compiledExample(file)).image)),
    );
    const { real, model } = await bothEnds(cases, 0, 1536);
    expect(real).toEqual(model);
  });
});
