// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from "vitest";
import { ACPI_BYTES, encodeAcpi } from "./acpi.js";

const ADDRESS = 0x4122060;
const bytes = Buffer.from(encodeAcpi(ADDRESS));
const root = bytes.subarray(0, 36);

const sum = (part: Uint8Array): number => part.reduce((total, byte) => (total + byte) & 0xff, 0);
const at = (pointer: bigint): Buffer => bytes.subarray(Number(pointer) - ADDRESS);

/** A table by its address, with the length that its header has. */
function tableAt(pointer: bigint): Buffer {
  const from = at(pointer);
  return from.subarray(0, from.readUInt32LE(4));
}

const xsdt = tableAt(root.readBigUInt64LE(24));
const fadt = tableAt(xsdt.readBigUInt64LE(36));
const madt = tableAt(xsdt.readBigUInt64LE(44));
const dsdt = tableAt(fadt.readBigUInt64LE(140));

describe("the ACPI tables of a guest", () => {
  it("lead from the root pointer to every table, with sound checksums", () => {
    expect(root.toString("latin1", 0, 8)).toBe("RSD PTR ");
    const tables = [xsdt, fadt, madt, dsdt];
    const signatures = tables.map((table) => table.toString("latin1", 0, 4));
    expect(signatures).toEqual(["XSDT", "FACP", "APIC", "DSDT"]);
    expect([root.subarray(0, 20), root, ...tables].map(sum)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(root.length + tables.reduce((total, { length }) => total + length, 0)).toBe(ACPI_BYTES);
  });

  it("name the vCPU's local APIC, as enabled, and no other interrupt controller", () => {
    expect(madt.readUInt32LE(36)).toBe(0xfee00000);
    expect([...madt.subarray(44)]).toEqual([0, 8, 0, 0, 1, 0, 0, 0]);
  });

  it("say that the registers of a PC are not there", () => {
    expect(fadt.readUInt32LE(112) & (1 << 20)).not.toBe(0);
    expect(fadt.readUInt32LE(40)).toBe(Number(fadt.readBigUInt64LE(140)));
  });
});
