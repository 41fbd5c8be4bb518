// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { compressSync } from "lz4-napi";
import { describe, expect, it } from "vitest";
import { buildBzImage, buildElf } from "./elf-builder.js";
import { readKernel } from "./kernel.js";
import type { MaterialFile } from "./material-file.js";
import { unpackKernel } from "./unpack.js";

const place = { line: 1, column: 1 };
const fileOf = (bytes: Uint8Array): MaterialFile => ({ path: "/vmlinuz", place, bytes });
const vmlinux = buildElf([{ address: 0x100000, bytes: Buffer.alloc(9000, "code") }], 0x100000);

/** The text that ZSTD_PACKED holds, packed by zstd at its level 19. */
const ZSTD_TEXT = "a kernel, packed by zstd. ".repeat(200);
const ZSTD_PACKED = "KLUv/QRoFQEA0GEga2VybmVsLCBwYWNrZWQgYnkgenN0ZC4gAQDOUPdzDMvB6cI=";

function withSize(packed: Uint8Array, size: number): Buffer {
  const trailer = Buffer.alloc(4);
  trailer.writeUInt32LE(size);
  return Buffer.concat([packed, trailer]);
}

/** LZ4's legacy frame, as `lz4 -l` makes it. */
function lz4Legacy(bytes: Uint8Array): Buffer {
  const blocks: Buffer[] = [Buffer.of(0x02, 0x21, 0x4c, 0x18)];
  for (let at = 0; at < bytes.length; at += 0x800000) {
    // The library puts the unpacked size where the frame has the packed one.
    const block = compressSync(Buffer.from(bytes.subarray(at, at + 0x800000)));
    block.writeUInt32LE(block.length - 4);
    blocks.push(block);
  }
  return Buffer.concat(blocks);
}

function payloadOf(format: "gzip" | "xz" | "lz4", bytes: Uint8Array): Buffer {
  switch (format) {
    case "gzip":
      return gzipSync(bytes);
    case "xz":
      return withSize(
        execFileSync("xz", ["-c", "--check=crc32", "--x86", "--lzma2"], { input: bytes }),
        bytes.length,
      );
    case "lz4":
      return withSize(lz4Legacy(bytes), bytes.length);
  }
}

async function codesOf(bytes: Uint8Array): Promise<readonly string[]> {
  const result = await readKernel(fileOf(bytes));
  return result.ok ? [] : result.diagnostics.map(({ code }) => code);
}

describe("readKernel", () => {
  it.each(["gzip", "xz", "lz4"] as const)(
    "reads a bzImage that is packed with %s",
    async (format) => {
      const result = await readKernel(fileOf(buildBzImage(payloadOf(format, vmlinux))));
      expect(result.ok && result.value.segments[0]?.bytes.length).toBe(9000);
    },
  );

  it("unpacks zstd", async () => {
    const packed = withSize(Buffer.from(ZSTD_PACKED, "base64"), ZSTD_TEXT.length);
    const result = await unpackKernel(packed, fileOf(packed));
    expect(result.ok && Buffer.from(result.value).toString()).toBe(ZSTD_TEXT);
  });

  it("unpacks lz4 of several blocks", async () => {
    const bytes = Buffer.alloc(0x1000005, "block");
    const result = await unpackKernel(payloadOf("lz4", bytes), fileOf(bytes));
    expect(result.ok && bytes.equals(result.value)).toBe(true);
  });

  it("reads an ELF kernel as it is", async () => {
    expect(await codesOf(vmlinux)).toEqual([]);
  });

  it("reads Debian's kernel, whose entry lies in its first segment", async () => {
    const result = await readKernel(fileOf(readFileSync("build/materials/vmlinuz")));
    expect(result.ok && result.value.segments.map(({ address }) => address)[0]).toBe(0x1000000);
    expect(result.ok && result.value.entry).toBeGreaterThan(0x1000000);
  });

  it("tells Debian's kernel cut in half", async () => {
    const whole = readFileSync("build/materials/vmlinuz");
    expect(await codesOf(whole.subarray(0, whole.length / 2))).toEqual(["DOMB3005"]);
  });

  it.each(["gzip", "xz", "lz4"] as const)(
    "tells a payload of %s that is cut short",
    async (format) => {
      const payload = payloadOf(format, vmlinux);
      expect(await codesOf(buildBzImage(payload.subarray(0, payload.length / 2)))).toEqual([
        "DOMB3007",
      ]);
    },
  );

  it.each(["gzip", "xz", "lz4"] as const)(
    "bounds what %s unpacks to by the size it claims",
    async (format) => {
      const payload = payloadOf(format, Buffer.alloc(3_000_000));
      payload.writeUInt32LE(1000, payload.length - 4);
      expect(await codesOf(buildBzImage(payload))).toEqual(["DOMB3007"]);
    },
  );

  it("refuses a payload that claims more than a kernel may have", async () => {
    const payload = payloadOf("lz4", vmlinux);
    payload.writeUInt32LE(0xffffffff, payload.length - 4);
    const result = await readKernel(fileOf(buildBzImage(payload)));
    expect(!result.ok && result.diagnostics[0]?.message).toContain("claims a size of 4294967295");
  });

  it("names a compression that it does not read, and those that it does", async () => {
    const result = await readKernel(fileOf(buildBzImage(Buffer.from("BZh9 packed"))));
    expect(!result.ok && result.diagnostics[0]?.code).toBe("DOMB3006");
    expect(!result.ok && result.diagnostics[0]?.message).toContain(
      "packed with bzip2, wanted one of gzip, xz, zstd, lz4",
    );
  });

  it("tells what is no kernel at all", async () => {
    expect(await codesOf(Buffer.from("domb: 1\ndomains: {}\n"))).toEqual(["DOMB3004"]);
  });

  it("throws at no bzImage, however damaged", async () => {
    const whole = buildBzImage(payloadOf("lz4", vmlinux));
    const damage = fc.array(fc.tuple(fc.nat({ max: whole.length - 1 }), fc.nat({ max: 255 })));
    await fc.assert(
      fc.asyncProperty(damage, fc.nat({ max: whole.length }), async (changes, length) => {
        const bytes = Buffer.from(whole);
        for (const [at, value] of changes) bytes.writeUInt8(value, at);
        const result = await readKernel(fileOf(bytes.subarray(0, length)));
        return result.ok || result.diagnostics.length > 0;
      }),
      { numRuns: 500 },
    );
  });
});
