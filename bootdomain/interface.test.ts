// SPDX-License-Identifier: Apache-2.0
// The boot domain's interface to the world, as its built files have it.

import { readFile } from "node:fs/promises";
import { execa } from "execa";
import { beforeAll, describe, expect, it } from "vitest";
import { built } from "./build.js";

let module: WebAssembly.Module;

beforeAll(async () => {
  module = await WebAssembly.compile(await readFile(built.wasm));
});

describe("the boot domain's interface", () => {
  it("[RFC-MINIMAL] is these imports and no others", () => {
    const names = WebAssembly.Module.imports(module).map(({ module, name }) => `${module}.${name}`);
    expect(names.sort()).toEqual([
      "machine.clock",
      "machine.imageRead",
      "machine.trustRead",
      "xen.bootDomainOp",
      "xen.consoleWrite",
      "xen.domctl",
      "xen.memoryOp",
      "xen.xsmOp",
    ]);
  });

  it("is entered at launch, and shows its memory and where its receipt lies", () => {
    const names = WebAssembly.Module.exports(module).map(({ name }) => name);
    expect(names.sort()).toEqual(["launch", "memory", "receipt"]);
  });

  it("has memory of one size, which can't grow", async () => {
    const { stdout } = await execa("wasm-objdump", ["-x", "-j", "Memory", built.wasm]);
    expect(stdout).toContain("initial=10 max=10");
  });

  it("keeps its own constants below the plan's place", async () => {
    const { stdout } = await execa("wasm-objdump", ["-x", "-j", "Data", built.wasm]);
    const ends = [...stdout.matchAll(/size=(\d+) - init i32=(\d+)/g)].map(
      ([, size, start]) => Number(size) + Number(start),
    );
    expect(ends.length).toBeGreaterThan(0);
    expect(Math.max(...ends)).toBeLessThanOrEqual(0x10000);
  });

  it("lies between 1 MiB and 2 MiB as a PVH kernel with an entry note", async () => {
    const { stdout } = await execa("readelf", ["-lnW", built.elf]);
    const segments = [...stdout.matchAll(/LOAD +\S+ \S+ (0x\w+) \S+ (0x\w+)/g)];
    expect(segments).toHaveLength(2);
    for (const [, start, size] of segments) {
      expect(Number(start)).toBeGreaterThanOrEqual(0x100000);
      expect(Number(start) + Number(size)).toBeLessThanOrEqual(0x200000);
    }
    expect(stdout).toMatch(/Xen +0x00000004.*0x00000012/);
  });
});
