// SPDX-License-Identifier: Apache-2.0
// The boot domain's interface to the world, as its built files have it.

import { copyFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { execa } from "execa";
import { beforeAll, describe, expect, it } from "vitest";
import { GUEST_RAM0_BASE } from "../contract/xen-abi-arm64.js";
import { built, compileWasm, STACK_BYTES, toolFor } from "./build.js";

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
      "xen.sysctl",
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

  it("lies in the first 2 MiB of RAM as an arm64 Image, whose header tells its size", async () => {
    const image = await readFile(built.arm64Image);
    const symbols = await execa(toolFor("arm64", "nm"), [built.arm64Elf]);
    const end = Number(`0x${/^(\w+) \w bss_end$/m.exec(symbols.stdout)?.[1]}`);
    const memoryBytes = image.readBigUInt64LE(16);
    expect(image.toString("latin1", 56, 60)).toBe("ARMd");
    expect(image.readBigUInt64LE(8)).toBe(0n);
    expect(memoryBytes).toBe(BigInt(end - GUEST_RAM0_BASE));
    expect(memoryBytes).toBeGreaterThan(BigInt(image.length + STACK_BYTES));
    expect(memoryBytes).toBeLessThanOrEqual(0x200000n);
    // Little-endian, pages of 4 KiB, and no part of it that a boot loader reads as EFI's.
    expect(image.readBigUInt64LE(24)).toBe(0xan);
    expect(image.readUInt32LE(60)).toBe(0);
  });

  it("[RFC-ALIKE] is made of one wasm for x86-64 and arm64, bit for bit", async () => {
    const folder = await mkdtemp(join(tmpdir(), "domb-one-wasm-"));
    try {
      await copyFile(built.wasm, join(folder, basename(built.wasm)));
      await compileWasm(folder);
      for (const path of [built.c, built.elf, built.arm64Image]) {
        const again = await readFile(join(folder, basename(path)));
        expect(Buffer.compare(again, await readFile(path)), basename(path)).toBe(0);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
