// SPDX-License-Identifier: Apache-2.0
// Builds small ELF kernels for tests, whole or wrong in one field.

import { XEN_ELFNOTE_PHYS32_ENTRY } from "../../contract/xen-abi.js";

export interface BuiltSegment {
  readonly address: number;
  readonly bytes: Uint8Array;
  /** Default: as many as there are bytes. */
  readonly memoryBytes?: number;
}

const FILE_HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;

/** An ELF64 kernel with a PVH note that names `entry`. */
export function buildElf(segments: readonly BuiltSegment[], entry: number): Buffer {
  const note = Buffer.alloc(20);
  note.writeUInt32LE(4, 0);
  note.writeUInt32LE(4, 4);
  note.writeUInt32LE(XEN_ELFNOTE_PHYS32_ENTRY, 8);
  note.write("Xen\0", 12);
  note.writeUInt32LE(entry, 16);

  const contents = [...segments.map(({ bytes }) => bytes), note];
  const header = Buffer.alloc(FILE_HEADER_BYTES);
  header.write("\x7fELF", 0, "latin1");
  header.set([2, 1, 1], 4);
  header.writeUInt16LE(2, 16);
  header.writeUInt16LE(62, 18);
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(BigInt(FILE_HEADER_BYTES), 32);
  header.writeUInt16LE(FILE_HEADER_BYTES, 52);
  header.writeUInt16LE(PROGRAM_HEADER_BYTES, 54);
  header.writeUInt16LE(contents.length, 56);

  let offset = FILE_HEADER_BYTES + contents.length * PROGRAM_HEADER_BYTES;
  const programHeaders = contents.map((bytes, index) => {
    const segment = segments[index];
    const programHeader = Buffer.alloc(PROGRAM_HEADER_BYTES);
    programHeader.writeUInt32LE(segment === undefined ? 4 : 1, 0);
    programHeader.writeBigUInt64LE(BigInt(offset), 8);
    programHeader.writeBigUInt64LE(BigInt(segment?.address ?? 0), 24);
    programHeader.writeBigUInt64LE(BigInt(bytes.length), 32);
    programHeader.writeBigUInt64LE(BigInt(segment?.memoryBytes ?? bytes.length), 40);
    offset += bytes.length;
    return programHeader;
  });
  return Buffer.concat([header, ...programHeaders, ...contents]);
}

/** A bzImage that holds this payload. */
export function buildBzImage(payload: Uint8Array): Buffer {
  const setup = Buffer.alloc(5 * 512);
  setup.writeUInt8(4, 0x1f1);
  setup.write("HdrS", 0x202);
  setup.writeUInt16LE(0x20f, 0x206);
  setup.writeUInt32LE(0x100, 0x248);
  setup.writeUInt32LE(payload.length, 0x24c);
  return Buffer.concat([setup, Buffer.alloc(0x100), payload]);
}
