// SPDX-License-Identifier: Apache-2.0
// xz as Linux's build makes it, packed here by the xz program.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { unpackXz } from "./xz.js";

/** Options of Linux's scripts/xz_wrap.sh on x86, with a quick preset. */
const LINUX_OPTIONS = ["--check=crc32", "--x86", "--lzma2=preset=1,dict=32MiB"];

function pack(bytes: Uint8Array, options: readonly string[]): Uint8Array {
  return execFileSync("xz", ["--stdout", ...options], { input: bytes, maxBuffer: 2 ** 30 });
}

describe("unpackXz", () => {
  it("undoes the x86 branch filter on real machine code", async () => {
    const program = readFileSync(process.execPath).subarray(0, 4_000_000);
    const unpacked = await unpackXz(pack(program, LINUX_OPTIONS), program.length);
    expect(program.equals(unpacked)).toBe(true);
  });

  it("undoes the x86 branch filter on bytes that are mostly opcodes and signs", async () => {
    const code = fc.array(fc.constantFrom(0xe8, 0xe9, 0x00, 0xff, 0x01, 0xfe), {
      minLength: 1,
      maxLength: 400,
    });
    await fc.assert(
      fc.asyncProperty(code, async (values) => {
        const bytes = Uint8Array.from(values);
        const unpacked = await unpackXz(pack(bytes, LINUX_OPTIONS), bytes.length);
        expect([...unpacked]).toEqual(values);
      }),
      { numRuns: 60 },
    );
  });

  it.each(["crc32", "crc64", "sha256", "none"])(
    "reads streams with the check %s",
    async (check) => {
      const bytes = Buffer.from("a kernel ".repeat(1000));
      const packed = pack(bytes, [`--check=${check}`, "--lzma2=preset=0"]);
      expect(bytes.equals(await unpackXz(packed, bytes.length))).toBe(true);
    },
  );

  it("refuses more bytes than were announced", async () => {
    const packed = pack(Buffer.alloc(1_000_000), LINUX_OPTIONS);
    await expect(unpackXz(packed, 999_999)).rejects.toThrow("more than 999999 bytes");
  });

  it("rejects a stream that is cut short anywhere", async () => {
    const packed = pack(Buffer.from("a kernel ".repeat(100)), LINUX_OPTIONS);
    // The index and the footer, which only a seeking reader needs, are not looked at.
    const blockEnd = packed.length - 12 - 8 - 4;
    for (let length = 0; length < blockEnd; length++) {
      await expect(unpackXz(packed.subarray(0, length), 900)).rejects.toThrow();
    }
  });

  it("rejects a byte that differs, by the check", async () => {
    const bytes = Buffer.alloc(4096, "kernel");
    const packed = Buffer.from(pack(bytes, LINUX_OPTIONS));
    for (let at = 24; at < packed.length - 24; at += 7) {
      const damaged = Buffer.from(packed);
      damaged.writeUInt8(damaged.readUInt8(at) ^ 0x10, at);
      const outcome = await unpackXz(damaged, bytes.length).catch((error: unknown) => error);
      expect(outcome, `byte ${at}`).toBeInstanceOf(Error);
    }
  });
});
