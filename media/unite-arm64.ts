// SPDX-License-Identifier: Apache-2.0
// Adds sections to arm64's Xen, an Image that is a PE file as well: its headers have no room for
// more, and objcopy does not know the form. So headers of their own come before it, and Xen, which
// runs wherever it lies, is one section. The file is laid out as memory will be.

import type { PeFile } from "./pe.js";

/** A section with the bytes that it is to hold. */
export type NamedSection = readonly [name: string, bytes: Uint8Array];

/** Of sections, in the file and in memory. */
const ALIGNMENT = 0x1000;

/** Offsets and values of fields, by the PE format's specification. */
const PE_OFFSET = 0x40;
const COFF_BYTES = 24;
const DIRECTORIES = 16;
const OPTIONAL_BYTES = 112 + DIRECTORIES * 8;
const SECTION_BYTES = 40;
const MACHINE_ARM64 = 0xaa64;
const PE32_PLUS = 0x20b;
/** An executable without line numbers and debugging information; it can be relocated. */
const EXECUTABLE = 0x206;
const EFI_APPLICATION = 10;
/** Code that runs and is written to: Xen's data is in it. */
const CODE = 0xe0000020;
/** Writable: Xen's loader cuts its configuration into lines in place. */
const DATA = 0xc0000040;

const aligned = (value: number): number => Math.ceil(value / ALIGNMENT) * ALIGNMENT;

/** Bytes of the file that `uniteArm64` makes. */
export function unitedBytes(pe: PeFile, sections: readonly NamedSection[]): number {
  return sections.reduce(
    (end, [, bytes]) => end + aligned(bytes.length),
    ALIGNMENT + aligned(pe.end),
  );
}

/** Xen's file `xen`, whose headers are `pe`, with these sections. */
export function uniteArm64(
  xen: Uint8Array,
  pe: PeFile,
  sections: readonly NamedSection[],
): Uint8Array {
  const total = unitedBytes(pe, sections);
  const file = Buffer.alloc(total);
  file.write("MZ", 0, "latin1");
  file.writeUInt32LE(PE_OFFSET, 0x3c);
  file.write("PE\0\0", PE_OFFSET, "latin1");
  const all: readonly { name: string; bytes: Uint8Array; size: number; flags: number }[] = [
    // What Xen takes of memory behind its file is zero.
    { name: ".text", bytes: xen, size: pe.end, flags: CODE },
    ...sections.map(([name, bytes]) => ({ name, bytes, size: bytes.length, flags: DATA })),
  ];
  const coff = PE_OFFSET + 4;
  file.writeUInt16LE(MACHINE_ARM64, coff);
  file.writeUInt16LE(all.length, coff + 2);
  file.writeUInt16LE(OPTIONAL_BYTES, coff + 16);
  file.writeUInt16LE(EXECUTABLE, coff + 18);

  const optional = PE_OFFSET + COFF_BYTES;
  file.writeUInt16LE(PE32_PLUS, optional);
  file.writeUInt32LE(aligned(pe.end), optional + 4);
  file.writeUInt32LE(total - ALIGNMENT - aligned(pe.end), optional + 8);
  file.writeUInt32LE(ALIGNMENT + pe.entry, optional + 16);
  file.writeUInt32LE(ALIGNMENT, optional + 20);
  file.writeUInt32LE(ALIGNMENT, optional + 32);
  file.writeUInt32LE(ALIGNMENT, optional + 36);
  file.writeUInt32LE(total, optional + 56);
  file.writeUInt32LE(ALIGNMENT, optional + 60);
  file.writeUInt16LE(EFI_APPLICATION, optional + 68);
  file.writeUInt32LE(DIRECTORIES, optional + 108);

  let header = optional + OPTIONAL_BYTES;
  let address = ALIGNMENT;
  for (const { name, bytes, size, flags } of all) {
    file.write(name, header, "latin1");
    file.writeUInt32LE(size, header + 8);
    file.writeUInt32LE(address, header + 12);
    file.writeUInt32LE(aligned(size), header + 16);
    file.writeUInt32LE(address, header + 20);
    file.writeUInt32LE(flags, header + 36);
    file.set(bytes, address);
    header += SECTION_BYTES;
    address += aligned(size);
  }
  return file;
}
