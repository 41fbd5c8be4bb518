// SPDX-License-Identifier: Apache-2.0
// The whole compiler on real kernels: what its plan does to a guest's memory is compared with the
// kernel's own segments.

import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { MAX_OPERATIONS, MAX_WORK, PAGE_SIZE } from "../contract/limits.js";
import { type CompiledLaunch, type CompilerEdge, compileLaunch } from "./compile.js";
import {
  atOnce,
  type DomainDescription,
  type LaunchDescription,
} from "./description/description.js";
import { decodeImage } from "./image/decode-image.js";
import { buildElf } from "./materials/elf-builder.js";
import { readKernel } from "./materials/kernel.js";
import { workOf } from "./plan/make-plan.js";
import type { PlanOperation } from "./plan/plan.js";

const LINUX = "build/materials/vmlinuz";
const RAMDISK = "build/materials/busybox.cpio.gz";
const HELLO = "build/guests/hello.elf";
const MIB = 0x100000;
/** What a page holds that nobody wrote: Xen promises nothing about it. */
const POISON = 0xc2;

type Domain = Partial<DomainDescription> & Pick<DomainDescription, "name" | "kernel">;

function launchOf(domains: readonly Domain[]): LaunchDescription {
  return {
    source: "launch.yaml",
    domains: domains.map((domain, index) => ({
      cmdline: `domain=${domain.name}`,
      memoryBytes: 128 * MIB,
      vcpus: 1,
      type: "pvh",
      domid: index + 1,
      output: "xen-log",
      onDeath: "leave",
      roles: [],
      recovery: false,
      ...atOnce,
      ...domain,
    })),
    links: [],
    placeOf: (path) => ({ path }),
  };
}

async function compile(domains: readonly Domain[], edge?: CompilerEdge): Promise<CompiledLaunch> {
  const result = await compileLaunch(launchOf(domains), edge);
  if (!result.ok) throw new Error(result.diagnostics.map(({ message }) => message).join("\n"));
  return result.value;
}

function operationsOf({ plan }: CompiledLaunch, domain: number): readonly PlanOperation[] {
  return plan.steps
    .filter((step) => step.domain === domain)
    .flatMap(({ firstOperation, operationCount }) =>
      plan.operations.slice(firstOperation, firstOperation + operationCount),
    );
}

/** A domain's memory up to `bytes` after its operations, read from the image alone. */
function memoryOf(launch: CompiledLaunch, domain: number, bytes: number): Buffer {
  const memory = Buffer.alloc(bytes, POISON);
  for (const operation of operationsOf(launch, domain)) {
    if (operation.kind !== "copy" && operation.kind !== "clear") continue;
    const target = memory.subarray(operation.frame * PAGE_SIZE);
    const length = operation.count * PAGE_SIZE;
    if (operation.kind === "clear") {
      target.fill(0, 0, length);
      continue;
    }
    const from = (launch.plan.materials[operation.material]?.offset ?? 0) + operation.offset;
    target.set(launch.image.subarray(from, from + length));
  }
  return memory;
}

describe("compileLaunch", () => {
  const domains: readonly Domain[] = [
    { name: "storage", kernel: LINUX, ramdisk: RAMDISK },
    { name: "web", kernel: LINUX, ramdisk: RAMDISK, output: "none" },
  ];
  let launch: CompiledLaunch;
  beforeAll(async () => {
    launch = await compile(domains);
  });

  it("fills the memory of both domains with Debian's kernel as its segments say", async () => {
    const kernel = await readKernel({ path: LINUX, place: {}, bytes: await readFile(LINUX) });
    if (!kernel.ok) throw new Error("bug: the kernel does not read");
    const ramdisk = await readFile(RAMDISK);
    for (const domain of [0, 1]) {
      const memory = memoryOf(launch, domain, 128 * MIB);
      for (const { address, bytes, memoryBytes } of kernel.value.segments) {
        const end = address + bytes.length;
        expect(memory.subarray(address, end).equals(bytes)).toBe(true);
        const zeros = memory.subarray(end, address + memoryBytes);
        expect(zeros.equals(Buffer.alloc(zeros.length))).toBe(true);
      }
      expect(memory.includes(ramdisk)).toBe(true);
      expect(memory.includes(`domain=${domain === 0 ? "storage" : "web"}\0`)).toBe(true);
    }
  });

  it("makes an image that decodes to the same plan", () => {
    const decoded = decodeImage(launch.image);
    expect(decoded.ok && decoded.value.plan).toEqual(launch.plan);
  });

  it("makes the same bytes from the same description", async () => {
    const again = await compile(domains);
    expect(Buffer.from(again.image).equals(launch.image)).toBe(true);
  });

  it("stores no page of zeros of a kernel", () => {
    const kernel = launch.plan.materials.find(({ kind }) => kind === "kernel");
    const bytes = launch.image.subarray(
      kernel?.offset,
      (kernel?.offset ?? 0) + (kernel?.bytes ?? 0),
    );
    const zeros = Buffer.alloc(PAGE_SIZE);
    let pages = 0;
    for (let at = 0; at < bytes.length; at += PAGE_SIZE) {
      expect(zeros.equals(bytes.subarray(at, at + PAGE_SIZE)), `page at ${at}`).toBe(false);
      pages++;
    }
    expect(pages).toBeGreaterThan(1000);
  });

  it("verifies in each step all that it uses, and all materials before any domain starts", () => {
    const verified = new Set<number>();
    let started = false;
    for (const { firstOperation, operationCount } of launch.plan.steps) {
      const inStep = new Set<number>();
      const last = firstOperation + operationCount;
      for (const operation of launch.plan.operations.slice(firstOperation, last)) {
        if (operation.kind === "verify") {
          expect(started).toBe(false);
          inStep.add(operation.material);
          verified.add(operation.material);
        } else if ("material" in operation) {
          expect(inStep).toContain(operation.material);
        }
        started ||= operation.kind === "start";
      }
    }
    expect([...verified].toSorted()).toEqual(launch.plan.materials.map((_, index) => index));
  });

  it("guards each step by the one before it of the same domain", () => {
    expect(
      launch.plan.steps.map(({ domain, afterStep }) => [
        domain,
        launch.plan.steps[afterStep - 1]?.domain,
      ]),
    ).toEqual([
      [0, undefined],
      [1, undefined],
      [0, 0],
      [1, 1],
      [0, 0],
      [1, 1],
    ]);
  });

  it("costs four operations and one material more for each domain that differs in name alone", async () => {
    const many = Array.from({ length: 100 }, (_, index) => ({
      name: `web${index}`,
      kernel: HELLO,
      memoryBytes: 2 * MIB,
    }));
    const hundred = await compile(many);
    const one = await compile(many.slice(0, 1));
    expect(hundred.plan.operations.length).toBe(one.plan.operations.length + 99 * 4);
    expect(hundred.plan.materials.length).toBe(one.plan.materials.length + 99);
  });

  it("may write to Xen's log or not, as the description says", () => {
    expect(launch.plan.domains.map(({ createFlags }) => createFlags)).toEqual([0x10003, 3]);
  });

  it("gives memory below and above the hole, in extents of 2 MiB", async () => {
    const { plan } = await compile([{ name: "big", kernel: HELLO, memoryBytes: 5 * 1024 * MIB }]);
    expect(plan.operations.filter(({ kind }) => kind === "populate")).toEqual([
      { kind: "populate", frame: 0, count: 1920, order: 9 },
      { kind: "populate", frame: 0x100000, count: 640, order: 9 },
    ]);
  });

  it("runs Debian's kernel in 64 MiB", async () => {
    const { plan } = await compile([
      { name: "small", kernel: LINUX, ramdisk: RAMDISK, memoryBytes: 64 * MIB },
    ]);
    expect(plan.domains[0]?.memoryPages).toBe(64 * 256);
  });

  it("says how large the boot domain must be, and what the host must have", () => {
    const size = Number(/^boot-domain=(\d+)M guest_loglvl=all$/.exec(launch.xenCommandLine)?.[1]);
    expect(size * MIB).toBeGreaterThan(launch.image.length);
    expect(launch.demand.totalBytes).toBeGreaterThan(2 * 128 * MIB + size * MIB);
  });

  it("stores zeros when the plan's tables would overflow without them", async () => {
    // Every other page is zero: two operations a page, for each of these domains.
    const pages = 600;
    const segments = [{ address: MIB, bytes: Buffer.alloc(pages * PAGE_SIZE) }];
    const striped =
      (stripe: number): CompilerEdge["readFile"] =>
      async () => {
        for (let page = 0; page < pages; page += 2) {
          segments[0]?.bytes.fill(stripe, page * PAGE_SIZE, page * PAGE_SIZE + 1);
        }
        return buildElf(segments, MIB);
      };
    const one = await compile([{ name: "one", kernel: "/k" }], { readFile: striped(1) });
    expect(one.plan.materials[0]?.bytes).toBe((pages / 2) * PAGE_SIZE);
    const many = Array.from({ length: 120 }, (_, index) => ({ name: `d${index}`, kernel: "/k" }));
    const all = await compile(many, { readFile: striped(1) });
    expect(all.plan.materials[0]?.bytes).toBe((pages - 1) * PAGE_SIZE);
    expect(all.plan.operations.length).toBeLessThanOrEqual(MAX_OPERATIONS);
    expect(workOf(all.plan)).toBeLessThanOrEqual(MAX_WORK);
  });

  it("refuses a launch that takes more memory than the description says that the host has", async () => {
    const one = launchOf([{ name: "one", kernel: HELLO, memoryBytes: 64 * MIB }]);
    const { totalBytes } = (await compile(one.domains)).demand;
    expect((await compileLaunch({ ...one, hostMemoryBytes: totalBytes })).ok).toBe(true);
    const { diagnostics } = await compileLaunch({ ...one, hostMemoryBytes: 64 * MIB });
    const taken = Math.ceil(totalBytes / MIB);
    expect(diagnostics).toMatchObject([
      {
        code: "DOMB4104",
        place: { path: ["host", "memory"] },
        message: `the host has 64 MiB of memory, and the launch takes ${taken} MiB`,
      },
    ]);
  });

  it("refuses more domains than a plan holds, with what it wanted", async () => {
    const many = Array.from({ length: 200 }, (_, index) => ({
      name: `d${index}`,
      kernel: HELLO,
      memoryBytes: 2 * MIB,
    }));
    const result = await compileLaunch(launchOf(many));
    expect(result.diagnostics.map(({ code, message }) => [code, message])).toContainEqual([
      "DOMB4101",
      "the launch needs 200 domains, wanted 128 at most",
    ]);
  });

  it("reports every kernel that is none, and every domain that does not fit, together", async () => {
    const kernels = await compileLaunch(
      launchOf([
        { name: "a", kernel: RAMDISK },
        { name: "b", kernel: "package.json" },
      ]),
    );
    expect(kernels.diagnostics.map(({ code }) => code)).toEqual(["DOMB3004", "DOMB3004"]);
    const memory = await compileLaunch(
      launchOf([
        { name: "a", kernel: LINUX, memoryBytes: 32 * MIB },
        { name: "b", kernel: LINUX, memoryBytes: 4096 },
      ]),
    );
    expect(memory.diagnostics.map(({ code, place }) => [code, place.path])).toEqual([
      ["DOMB4001", ["domains", "a", "memory"]],
      ["DOMB4001", ["domains", "b", "memory"]],
    ]);
  });
});
