// SPDX-License-Identifier: Apache-2.0
// Reads the headers of a PE file, the format of programs of EFI firmware, as far as sections are
// concerned. Leaves out most of what only a loader needs.

export interface PeSection {
  readonly name: string;
  /** Relative to the image's base. */
  readonly address: number;
  readonly size: number;
  readonly fileOffset: number;
  readonly fileBytes: number;
}

export interface PeFile {
  /** Where it starts, relative to the image's base. */
  readonly entry: number;
  readonly imageBase: bigint;
  readonly sectionAlignment: number;
  readonly sections: readonly PeSection[];
  /** Where the last section ends in memory, relative to the image's base. */
  readonly end: number;
}

/** Offsets of fields, by the PE format's specification. */
const PE_POINTER = 0x3c;
const Coff = { sections: 6, optionalHeaderBytes: 20, size: 24 } as const;
const Optional = { magic: 0, entry: 16, imageBase: 24, sectionAlignment: 32 } as const;
const Section = {
  size: 8,
  address: 12,
  fileBytes: 16,
  fileOffset: 20,
  bytes: 40,
  nameBytes: 8,
} as const;
const PE_MAGIC = 0x00004550;
const PE32_PLUS = 0x20b;

/** The headers; undefined for what is no PE file of 64 bits. */
export function readPe(bytes: Uint8Array): PeFile | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    const start = view.getUint32(PE_POINTER, true);
    const optional = start + Coff.size;
    if (view.getUint32(start, true) !== PE_MAGIC) return undefined;
    if (view.getUint16(optional + Optional.magic, true) !== PE32_PLUS) return undefined;
    const table = optional + view.getUint16(start + Coff.optionalHeaderBytes, true);
    const count = view.getUint16(start + Coff.sections, true);
    const sections = Array.from({ length: count }, (_, index): PeSection => {
      const at = table + index * Section.bytes;
      const name = Buffer.from(bytes.subarray(at, at + Section.nameBytes)).toString("latin1");
      return {
        name: name.replace(/\0+$/, ""),
        address: view.getUint32(at + Section.address, true),
        size: view.getUint32(at + Section.size, true),
        fileOffset: view.getUint32(at + Section.fileOffset, true),
        fileBytes: view.getUint32(at + Section.fileBytes, true),
      };
    });
    return {
      entry: view.getUint32(optional + Optional.entry, true),
      imageBase: view.getBigUint64(optional + Optional.imageBase, true),
      sectionAlignment: view.getUint32(optional + Optional.sectionAlignment, true),
      sections,
      end: Math.max(0, ...sections.map(({ address, size }) => address + size)),
    };
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
