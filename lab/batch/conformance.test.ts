// SPDX-License-Identifier: Apache-2.0
// The model of Xen answers as Xen does: the suite runs on both, and each launch leaves the same
// receipt, times apart, and the same domains running; real Xen loses no page.

import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { XEN_ENOMEM } from "../../contract/xen-abi.js";
import { type Architecture, paths } from "../../setup/paths.js";
import { injectFaults } from "../../simulator/faults.js";
import { loadBootDomain, simulateLaunch } from "../../simulator/simulate.js";
import { plainCase } from "../../simulator/suite/suite-case.js";
import { type SuiteCase, suite } from "../../simulator/suite.js";
import { withoutTimes } from "../../xen-model/receipt.js";
import { compiledFile, everyArchitecture } from "../lab-bench.js";
import { type Batch, type BatchResult, runBatch } from "./batch.js";

const MEBIBYTE = 0x100000;
/** What a launch of the suite can have at most: more than any of them takes. */
const roomPages = 3000;
/** The same of launches with several vCPUs. */
const vcpuRoomPages = 6000;
/** What the names of these begin with. */
const vcpuGroup = "vCPUs";

type Left = Omit<BatchResult, "receipt" | "lostPages"> & { readonly receipt: object };

/**
 * Pages that Xen's heap may take, from the least to the most, beside what the model's takes when memory
 * runs out: it depends on earlier launches whether a creation takes pages for small structures from the
 * host or has room, the more so where there were several vCPUs, or on arm64 any.
 */
function heapPages(name: string, architecture: Architecture): readonly number[] {
  if (!name.includes("pages are free")) return [0];
  if (name.startsWith(vcpuGroup)) return [-4, -3, -2, -1, 0, 1, 2, 3, 4];
  return architecture === "arm64" ? [0, 1, 2] : [-1, 0, 1];
}

/**
 * Where a page more or less makes another end, a launch may also end between the two: for want of
 * memory, with nothing left of it.
 */
function isBetween(real: Left | undefined, model: readonly Left[]): boolean {
  const isBorder = model.some((end) => !isDeepStrictEqual(end, model[0]));
  if (!isBorder || real?.running.length !== 0) return false;
  return "error" in real.receipt && real.receipt.error === XEN_ENOMEM;
}

/** What each case left on real Xen, and what it may leave by the model, by name. */
interface Ends {
  readonly real: ReadonlyMap<string, Left>;
  readonly model: ReadonlyMap<string, readonly Left[]>;
  readonly stack: Batch["stack"];
  /** Pages that real Xen lost in all cases together. */
  readonly lostPages: number;
}

async function bothEnds(
  cases: readonly SuiteCase[],
  room: number,
  host: number,
  architecture: Architecture = "x86_64",
): Promise<Ends> {
  const wasm = await loadBootDomain();
  const options = { roomPages: room, hostMemoryBytes: host * MEBIBYTE, architecture };
  const { results, stack } = await runBatch(cases, options);
  const model = cases.map(({ name, image, machine, freePages, faults, trust }) => {
    const most = room === 0 ? freePages : Math.min(freePages, room);
    const ends = heapPages(name, architecture).map((taken): Left => {
      const options = { wasm, machine, freePages: most - taken, trust };
      const left = simulateLaunch(image, { ...options, inject: injectFaults(faults) });
      const domains = [...left.domains.values()];
      return {
        receipt: withoutTimes(left.receipt),
        exited: left.exit !== undefined,
        hypercalls: left.hypercalls,
        running: domains.flatMap(({ domid, started }) => (started ? [domid] : [])).sort(byNumber),
      };
    });
    return [name, ends] as const;
  });
  const real = results.map(({ lostPages: _, ...result }, index) => {
    const end: Left = { ...result, receipt: withoutTimes(result.receipt) };
    return [cases[index]?.name ?? "", end] as const;
  });
  const lostPages = results.reduce((sum, result) => sum + result.lostPages, 0);
  return { real: new Map(real), model: new Map(model), stack, lostPages };
}

function byNumber(one: number, other: number): number {
  return one - other;
}

describe.each(everyArchitecture)("real Xen and its model on %s", (_, architecture) => {
  let ends: Ends;
  let cases: readonly SuiteCase[];

  beforeAll(async () => {
    // One Xen runs all of them, without FLASK; on it domains do what their kernels do, and a host
    // with few free pages has no superpages, which launches with links take.
    const all = (await suite(architecture)).filter(
      ({ name, policy, behaviourOf }) =>
        policy === undefined &&
        behaviourOf === undefined &&
        !name.startsWith(vcpuGroup) &&
        !name.endsWith("pages are free for links"),
    );
    // On arm64 Xen's heap grows by vCPUs that are gone: pages are counted before.
    const first = ({ name }: SuiteCase): boolean =>
      architecture === "arm64" && name.startsWith("memory");
    cases = [...all.filter(first), ...all.filter((one) => !first(one))];
    ends = await bothEnds(cases, roomPages, 384, architecture);
  });

  it("run the same launches, each under a name of its own", () => {
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
    expect([...ends.real.keys()]).toEqual(cases.map(({ name }) => name));
  });

  it("lose no page of the host", () => {
    // But on arm64 those of its heap: some 80 bytes for each vCPU that was, 128 of them in a case.
    expect(ends.lostPages).toBeLessThanOrEqual(architecture === "arm64" ? 16 : 0);
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
    for (const name of names) {
      const [real, model = []] = [ends.real.get(name), ends.model.get(name)];
      if (!isBetween(real, model)) expect(model, name).toContainEqual(real);
    }
  });
});

describe.each(everyArchitecture)("domains with several vCPUs on %s", (_, architecture) => {
  it("[RFC-EXIT] leave the same receipts and domains on real Xen and on its model", async () => {
    // On a Xen of their own: its heap grows by vCPUs that are gone.
    const all = await suite(architecture);
    const cases = all.filter(({ name }) => name.startsWith(vcpuGroup));
    const { real, model } = await bothEnds(cases, vcpuRoomPages, 384, architecture);
    expect(real.size).toBeGreaterThan(100);
    for (const [name, end] of real) expect(model.get(name), name).toContainEqual(end);
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
      files.map(async (file) => {
        const { image } = await compiledFile(join(paths.checkout, "examples", file));
        return plainCase(file, image);
      }),
    );
    const { real, model, lostPages } = await bothEnds(cases, 0, 1536);
    for (const [name, ends] of model) expect(ends, name).toEqual([real.get(name)]);
    expect(lostPages).toBe(0);
  });
});
