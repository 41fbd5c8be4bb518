// SPDX-License-Identifier: Apache-2.0
// The ACPI tables against ACPI 6.5, chapter 5, with offsets of their own, and against ACPICA's iasl.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MAX_VCPUS } from "../../../contract/limits.js";
import { readAcpi } from "../../explain/acpi.js";
import { acpiBytes, encodeAcpi } from "./acpi.js";

const ADDRESS = 0x4122060;

const sum = (part: Uint8Array): number => part.reduce((total, byte) => (total + byte) & 0xff, 0);

/** The tables of a guest, each with the length that its header has. */
function tablesOf(vcpus: number, address = ADDRESS) {
  const bytes = Buffer.from(encodeAcpi(address, vcpus));
  const root = bytes.subarray(0, 36);
  const tableAt = (pointer: bigint): Buffer => {
    const from = bytes.subarray(Number(pointer) - address);
    return from.subarray(0, from.readUInt32LE(4));
  };
  const xsdt = tableAt(root.readBigUInt64LE(24));
  const fadt = tableAt(xsdt.readBigUInt64LE(36));
  const madt = tableAt(xsdt.readBigUInt64LE(44));
  const dsdt = tableAt(fadt.readBigUInt64LE(140));
  return { root, xsdt, fadt, madt, dsdt };
}

/** Processor numbers and local APIC ids of the MADT. */
function processorsOf(madt: Buffer): readonly (readonly [number: number, id: number])[] {
  return Array.from({ length: (madt.length - 44) / 8 }, (_, index) => {
    const entry = madt.subarray(44 + index * 8, 52 + index * 8);
    // A local APIC, of 8 bytes, enabled.
    expect([entry[0], entry[1], entry.readUInt32LE(4)]).toEqual([0, 8, 1]);
    return [entry[2] ?? -1, entry[3] ?? -1];
  });
}

const anyGuest = fc.record({
  vcpus: fc.integer({ min: 1, max: MAX_VCPUS }),
  address: fc.integer({ min: 1, max: 0xeffffff }).map((place) => place * 16),
});

describe("the ACPI tables of a guest", () => {
  it("lead from the root pointer to every table, with sound checksums, whatever the guest", () => {
    fc.assert(
      fc.property(anyGuest, ({ vcpus, address }) => {
        const { root, ...others } = tablesOf(vcpus, address);
        const tables = Object.values(others);
        expect(root.toString("latin1", 0, 8)).toBe("RSD PTR ");
        const signatures = tables.map((table) => table.toString("latin1", 0, 4));
        expect(signatures).toEqual(["XSDT", "FACP", "APIC", "DSDT"]);
        expect([root.subarray(0, 20), root, ...tables].map(sum)).toEqual([0, 0, 0, 0, 0, 0]);
        const bytes = root.length + tables.reduce((total, { length }) => total + length, 0);
        expect(bytes).toBe(acpiBytes(vcpus));
      }),
      { numRuns: 50 },
    );
  });

  it("name the local APIC of each vCPU, by the id that Xen gives it, and no other controller", () => {
    fc.assert(
      fc.property(anyGuest, ({ vcpus, address }) => {
        const { madt } = tablesOf(vcpus, address);
        expect(madt.readUInt32LE(36)).toBe(0xfee00000);
        const expected = Array.from({ length: vcpus }, (_, vcpu) => [vcpu, 2 * vcpu]);
        expect(processorsOf(madt)).toEqual(expected);
      }),
      { numRuns: 50 },
    );
  });

  it("are read back as they were written", () => {
    fc.assert(
      fc.property(anyGuest, ({ vcpus, address }) => {
        const { root, xsdt, fadt, madt, dsdt } = tablesOf(vcpus, address);
        const read = readAcpi(encodeAcpi(address, vcpus), address, address);
        const start = root.byteOffset;
        expect(read).toEqual({
          tables: [xsdt, fadt, dsdt, madt].map((table) => ({
            signature: table.toString("latin1", 0, 4),
            address: address + table.byteOffset - start,
            bytes: table.length,
          })),
          processors: processorsOf(madt).map(([number, apicId]) => ({ number, apicId })),
        });
      }),
      { numRuns: 50 },
    );
  });

  it("are not read where a byte is another", () => {
    const bytes = encodeAcpi(ADDRESS, 2);
    const whole = readAcpi(bytes, ADDRESS, ADDRESS);
    for (let at = 0; at < bytes.length; at++) {
      const changed = bytes.map((byte, index) => (index === at ? byte ^ 0x10 : byte));
      const read = readAcpi(changed, ADDRESS, ADDRESS);
      expect(read?.tables.length ?? 0).toBeLessThan(whole?.tables.length ?? 0);
    }
  });

  it("are no longer than what the largest guest has of them, and always of the same bytes", () => {
    expect(acpiBytes(1)).toBe(36 + 52 + 52 + 268 + 36);
    expect(acpiBytes(MAX_VCPUS)).toBe(acpiBytes(1) + 127 * 8);
    expect(encodeAcpi(ADDRESS, 4)).toEqual(encodeAcpi(ADDRESS, 4));
  });

  it("say that the registers of a PC are not there", () => {
    const { fadt } = tablesOf(1);
    expect(fadt.readUInt32LE(112) & (1 << 20)).not.toBe(0);
    expect(fadt.readUInt32LE(40)).toBe(Number(fadt.readBigUInt64LE(140)));
  });
});

describe("ACPICA's iasl", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "domb-acpi-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** A table as iasl reads it: its text, and what it had to say. */
  function disassembled(name: string, table: Buffer): { text: string; said: string } {
    writeFileSync(join(folder, `${name}.dat`), table);
    const words = ["-d", `${name}.dat`];
    const { stdout, stderr } = spawnSync("iasl", words, { cwd: folder, encoding: "utf8" });
    return { text: readFileSync(join(folder, `${name}.dsl`), "utf8"), said: stdout + stderr };
  }

  it.each([1, 4, MAX_VCPUS])("reads each table of a guest with %i vCPUs without a warning", (n) => {
    const { xsdt, fadt, madt, dsdt } = tablesOf(n);
    for (const [name, table] of Object.entries({ xsdt, fadt, madt, dsdt })) {
      const { text, said } = disassembled(name, table);
      expect(said).toContain("appears to be a valid ACPI table");
      expect(said).not.toMatch(/warning|error|incorrect/i);
      expect(text).not.toMatch(/incorrect|unknown|invalid/i);
    }
  });

  it("finds the same processors, all enabled, and hardware-reduced ACPI", () => {
    const { fadt, madt } = tablesOf(4);
    const { text } = disassembled("madt", madt);
    const values = (key: string): readonly string[] =>
      [...text.matchAll(new RegExp(`${key} : (\\w+)`, "g"))].map(([, value = ""]) => value);
    expect(values("Subtable Type")).toEqual(["00", "00", "00", "00"]);
    expect(values("Processor ID")).toEqual(["00", "01", "02", "03"]);
    expect(values("Local Apic ID")).toEqual(["00", "02", "04", "06"]);
    expect(values("Processor Enabled")).toEqual(["1", "1", "1", "1"]);
    expect(disassembled("fadt", fadt).text).toMatch(/Hardware Reduced \(V5\) : 1/);
  });
});
