// SPDX-License-Identifier: Apache-2.0
// Reads a guest's ACPI tables back (ACPI 6.5, chapter 5): the tables that the root pointer leads to,
// and the processors that the MADT lists. Any bytes are survived: a table that does not lie in them
// whole, or whose checksum is wrong, is left out.

const ROOT_POINTER_BYTES = 36;
const HEADER_BYTES = 36;
const FADT_DSDT = 140;
const MADT_FIRST_ENTRY = 44;
const LOCAL_APIC = 0;
const LOCAL_APIC_BYTES = 8;

export interface ReadTable {
  /** Four letters, as in "FACP". */
  readonly signature: string;
  /** Guest physical address. */
  readonly address: number;
  readonly bytes: number;
}

export interface ReadProcessor {
  /** Number of the processor: Linux takes it for Xen's of the vCPU. */
  readonly number: number;
  /** Id of its local APIC. */
  readonly apicId: number;
}

export interface ReadAcpi {
  /** In the order in which they are found. */
  readonly tables: readonly ReadTable[];
  /** Those that may be started. */
  readonly processors: readonly ReadProcessor[];
}

/** Reads the tables in `bytes`, which begin at `address`; undefined: there is no root pointer. */
export function readAcpi(
  bytes: Uint8Array,
  address: number,
  rootPointer: number,
): ReadAcpi | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const root = rootPointer - address;
  if (root < 0 || root + ROOT_POINTER_BYTES > bytes.length) return undefined;
  if (text(root, 8) !== "RSD PTR " || !isSound(root, ROOT_POINTER_BYTES)) return undefined;
  const xsdt = tableAt(pointerAt(root + 24));
  if (xsdt === undefined) return { tables: [], processors: [] };
  const entries = Array.from({ length: (xsdt.bytes - HEADER_BYTES) >> 3 }, (_, index) =>
    tableAt(pointerAt(xsdt.address - address + HEADER_BYTES + index * 8)),
  );
  const tables = [xsdt, ...entries.flatMap((table) => (table ? [table, ...behind(table)] : []))];
  const madt = tables.find(({ signature }) => signature === "APIC");
  return { tables, processors: madt === undefined ? [] : processorsOf(madt) };

  /** The table that a table leads to: the FADT's DSDT. */
  function behind(table: ReadTable): readonly ReadTable[] {
    if (table.signature !== "FACP" || table.bytes < FADT_DSDT + 8) return [];
    const dsdt = tableAt(pointerAt(table.address - address + FADT_DSDT));
    return dsdt === undefined ? [] : [dsdt];
  }

  function processorsOf(madt: ReadTable): readonly ReadProcessor[] {
    const start = madt.address - address;
    const processors: ReadProcessor[] = [];
    let at = start + MADT_FIRST_ENTRY;
    while (at + LOCAL_APIC_BYTES <= start + madt.bytes) {
      const length = bytes[at + 1] ?? 0;
      const isEnabled = (view.getUint32(at + 4, true) & 1) === 1;
      if (bytes[at] === LOCAL_APIC && isEnabled) {
        processors.push({ number: bytes[at + 2] ?? 0, apicId: bytes[at + 3] ?? 0 });
      }
      if (length === 0) break;
      at += length;
    }
    return processors;
  }

  function tableAt(pointer: number): ReadTable | undefined {
    const start = pointer - address;
    if (start < 0 || start + HEADER_BYTES > bytes.length) return undefined;
    const length = view.getUint32(start + 4, true);
    if (length < HEADER_BYTES || start + length > bytes.length || !isSound(start, length)) {
      return undefined;
    }
    return { signature: text(start, 4), address: pointer, bytes: length };
  }

  function pointerAt(offset: number): number {
    return Number(view.getBigUint64(offset, true));
  }

  function text(offset: number, length: number): string {
    return Buffer.from(bytes.subarray(offset, offset + length)).toString("latin1");
  }

  function isSound(offset: number, length: number): boolean {
    const sum = bytes.subarray(offset, offset + length).reduce((total, byte) => total + byte, 0);
    return (sum & 0xff) === 0;
  }
}
