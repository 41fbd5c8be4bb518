// SPDX-License-Identifier: Apache-2.0
// The one file for EFI firmware of arm64: what is in it and where. lab/boot-media boots it.

import { readFile } from "node:fs/promises";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { paths } from "../setup/paths.js";
import { type PeFile, readPe } from "./pe.js";
import { makeUnifiedXen, xenConfiguration } from "./unified-xen.js";
import { type NamedSection, uniteArm64, unitedBytes } from "./unite-arm64.js";

let xen: Uint8Array;
let original: PeFile;
beforeAll(async () => {
  xen = await readFile(paths.xenEfi("4.17", "arm64"));
  const pe = readPe(xen);
  if (pe === undefined) throw new Error("arm64's Xen is no PE file");
  original = pe;
});

const bytes = (length: number, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (index * 7 + seed) % 251);

describe("the one file for EFI firmware of arm64", () => {
  it("holds each part in a section of its own, the board's device tree among them", async () => {
    const parts = {
      bootDomain: bytes(5001, 1),
      image: bytes(0x5003, 2),
      policy: bytes(33, 3),
      xenOptions: ["boot-domain=6M"],
    };
    const boardTree = bytes(77, 4);
    const program = await makeUnifiedXen(xen, parts, { boardTree });
    const contents = (readPe(program)?.sections ?? []).map(({ name, fileOffset, size }) => [
      name,
      Buffer.from(program.subarray(fileOffset, fileOffset + size)),
    ]);
    expect(contents.slice(1)).toEqual([
      [".config", Buffer.from(xenConfiguration(parts))],
      [".dtb", Buffer.from(boardTree)],
      [".kernel", Buffer.from(parts.bootDomain)],
      [".ramdisk", Buffer.from(parts.image)],
      [".xsm", Buffer.from(parts.policy)],
    ]);
    expect(Buffer.compare(program, await makeUnifiedXen(xen, parts, { boardTree }))).toBe(0);
  });

  it("has Xen whole at a page's start, begun where Xen's own headers say, with zeros behind", () => {
    const program = Buffer.from(uniteArm64(xen, original, []));
    const pe = readPe(program);
    expect(pe?.sections).toEqual([
      expect.objectContaining({ name: ".text", address: 0x1000, size: original.end }),
    ]);
    expect(pe?.entry).toBe(0x1000 + original.entry);
    expect(Buffer.compare(program.subarray(0x1000, 0x1000 + xen.length), xen)).toBe(0);
    expect(program.subarray(0x1000 + xen.length).every((byte) => byte === 0)).toBe(true);
  });

  it("has sections that lie in the file as in memory, apart from each other, whatever their sizes", () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 0x3000 }), { maxLength: 5 });
    fc.assert(
      fc.property(sizes, (all) => {
        const sections = all.map((size, index): NamedSection => [`.s${index}`, bytes(size, index)]);
        const program = uniteArm64(xen, original, sections);
        expect(program.length).toBe(unitedBytes(original, sections));
        let end = 0x1000;
        for (const section of readPe(program)?.sections ?? []) {
          expect(section.address).toBe(end);
          expect(section.fileOffset).toBe(section.address);
          expect(section.fileBytes % 0x1000).toBe(0);
          expect(section.fileBytes).toBeGreaterThanOrEqual(section.size);
          end = section.address + section.fileBytes;
        }
        expect(end).toBe(program.length);
      }),
      { numRuns: 20 },
    );
  });
});
