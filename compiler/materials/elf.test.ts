// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readElfKernel } from "./elf.js";
import { buildElf } from "./elf-builder.js";
import type { MaterialFile } from "./material-file.js";

const code = Buffer.from("some code");
const whole = buildElf(
  [
    { address: 0x200000, bytes: Buffer.from("data"), memoryBytes: 0x3000 },
    { address: 0x100000, bytes: code },
  ],
  0x100004,
);

function read(bytes: Uint8Array) {
  const file: MaterialFile = { path: "/kernel", place: { line: 4, column: 13 }, bytes };
  return readElfKernel(bytes, file);
}

/** The kernel with a field of another value, and what reading it says. */
function readWith(write: (bytes: Buffer) => void) {
  const bytes = Buffer.from(whole);
  write(bytes);
  const result = read(bytes);
  return result.ok ? [] : result.diagnostics;
}

describe("readElfKernel", () => {
  it("gives the entry, and the segments at their physical addresses in order", () => {
    const result = read(whole);
    expect(result.ok && result.value.entry).toBe(0x100004);
    expect(
      result.ok && result.value.segments.map(({ address, memoryBytes }) => [address, memoryBytes]),
    ).toEqual([
      [0x100000, code.length],
      [0x200000, 0x3000],
    ]);
    expect(result.ok && Buffer.from(result.value.segments[0]?.bytes ?? []).equals(code)).toBe(true);
  });

  const PROGRAM_HEADER_0 = 64;
  const NOTE_HEADER = 64 + 2 * 56;
  const wild = 0xffff_ffff_ffff_ffffn;
  it.each<[field: string, write: (bytes: Buffer) => void, value: string]>([
    ["EI_MAG", (b) => b.writeUInt8(0, 0), "0x464c4500"],
    ["EI_CLASS", (b) => b.writeUInt8(1, 4), "0x1"],
    ["EI_DATA", (b) => b.writeUInt8(2, 5), "0x2"],
    ["EI_VERSION", (b) => b.writeUInt8(9, 6), "0x9"],
    ["e_type", (b) => b.writeUInt16LE(0xffff, 16), "0xffff"],
    ["e_machine", (b) => b.writeUInt16LE(40, 18), "0x28"],
    ["e_version", (b) => b.writeUInt32LE(7, 20), "0x7"],
    ["e_phoff", (b) => b.writeBigUInt64LE(wild, 32), "0xffffffffffffffff"],
    ["e_ehsize", (b) => b.writeUInt16LE(0, 52), "0x0"],
    ["e_phentsize", (b) => b.writeUInt16LE(0xffff, 54), "0xffff"],
    ["e_phnum", (b) => b.writeUInt16LE(0, 56), "0"],
    ["e_phoff", (b) => b.writeUInt16LE(0xffff, 56), "e_phnum 65535"],
    ["p_offset", (b) => b.writeBigUInt64LE(wild, PROGRAM_HEADER_0 + 8), "0xffffffffffffffff"],
    ["p_paddr", (b) => b.writeBigUInt64LE(wild, PROGRAM_HEADER_0 + 24), "0xffffffffffffffff"],
    ["p_offset", (b) => b.writeBigUInt64LE(wild, PROGRAM_HEADER_0 + 32), "0xffffffffffffffff"],
    ["p_memsz", (b) => b.writeBigUInt64LE(1n, PROGRAM_HEADER_0 + 40), "0x1"],
    ["p_paddr", (b) => b.writeBigUInt64LE(wild, PROGRAM_HEADER_0 + 40), "0xffffffffffffffff"],
    ["p_offset", (b) => b.writeBigUInt64LE(wild, NOTE_HEADER + 8), "0xffffffffffffffff"],
    ["XEN_ELFNOTE_PHYS32_ENTRY", (b) => b.writeUInt32LE(0x10, b.length - 4), "0x10"],
  ])("names the field %s when it is wild", (field, write, value) => {
    const diagnostics = readWith(write);
    expect(diagnostics.map((diagnostic) => diagnostic.code)).toEqual(["DOMB3008"]);
    expect(diagnostics[0]?.message).toContain(`ELF field ${field}`);
    expect(diagnostics[0]?.message).toContain(value);
    expect(diagnostics[0]?.message).toContain("wanted");
    expect(diagnostics[0]?.place).toEqual({ line: 4, column: 13 });
  });

  it("reports all wrong fields of the header together", () => {
    const diagnostics = readWith((bytes) => {
      bytes.writeUInt8(1, 4);
      bytes.writeUInt16LE(3, 18);
    });
    expect(diagnostics).toHaveLength(2);
  });

  it("tells a kernel without a PVH note", () => {
    const diagnostics = readWith((bytes) => bytes.writeUInt32LE(1, bytes.length - 12));
    expect(diagnostics.map(({ code: found }) => found)).toEqual(["DOMB3009"]);
  });

  it("tells segments that overlap", () => {
    const bytes = Buffer.alloc(16);
    const result = read(
      buildElf(
        [
          { address: 0x100000, bytes },
          { address: 0x10000f, bytes },
        ],
        0x100000,
      ),
    );
    expect(!result.ok && result.diagnostics.map(({ code: found }) => found)).toEqual(["DOMB3010"]);
  });

  it("tells every kernel that is cut short, and throws at none", () => {
    for (let length = 0; length < whole.length; length++) {
      expect(read(whole.subarray(0, length)).ok, `${length} bytes`).toBe(false);
    }
  });

  it("throws at no byte string", () => {
    const damage = fc.array(fc.tuple(fc.nat({ max: whole.length - 1 }), fc.nat({ max: 255 })), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(damage, (changes) => {
        const bytes = Buffer.from(whole);
        for (const [at, value] of changes) bytes.writeUInt8(value, at);
        const result = read(bytes);
        // What is accepted lies within the first 4 GiB and within the file.
        if (!result.ok) return result.diagnostics.length > 0;
        return result.value.segments.every(
          ({ address, bytes: content, memoryBytes }) =>
            content.length <= memoryBytes && address + memoryBytes <= 2 ** 32,
        );
      }),
      { numRuns: 5000 },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => !read(bytes).ok));
  });
});
