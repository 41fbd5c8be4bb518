// SPDX-License-Identifier: Apache-2.0
// The kernels for arm64 can be started as ELF files and as Images.

import { readFile } from "node:fs/promises";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { GUEST_RAM0_BASE } from "../contract/xen-abi-arm64.js";
import { guestImage, guestKernel } from "./build.js";

describe("a guest for arm64", () => {
  it("is entered at RAM's start, where its ELF file lies", async () => {
    const { stdout } = await execa("readelf", ["-hlW", guestKernel("hello", "arm64")]);
    expect(stdout).toMatch(/Machine: +AArch64/);
    expect(stdout).toContain(
      `Entry point address:               0x${GUEST_RAM0_BASE.toString(16)}`,
    );
    expect(stdout).toMatch(/LOAD +\S+ \S+ 0x0+40000000 /);
  });

  it("is the same bytes as an Image, whose header gives their number", async () => {
    const image = await readFile(guestImage("probe"));
    expect(image.readBigUInt64LE(8)).toBe(0n);
    expect(image.readBigUInt64LE(16)).toBe(BigInt(image.length));
    expect(image.toString("latin1", 56, 60)).toBe("ARMd");
    const elf = await readFile(guestKernel("probe", "arm64"));
    const [, offset = "", bytes = ""] =
      /LOAD +(0x\w+) \S+ \S+ (0x\w+)/.exec(
        (await execa("readelf", ["-lW", guestKernel("probe", "arm64")])).stdout,
      ) ?? [];
    const text = elf.subarray(Number(offset), Number(offset) + Number(bytes));
    expect(Buffer.compare(image.subarray(0, Number(bytes)), text)).toBe(0);
  });
});
