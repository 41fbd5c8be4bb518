// SPDX-License-Identifier: Apache-2.0
// The files in a ramdisk, as far as they can be read: cpio archives in the "newc" form, plain or
// packed, one behind another as Linux takes them (Documentation/driver-api/early-userspace/
// buffer-format.rst). Any bytes are survived.

import { gunzipSync } from "node:zlib";
import { decompress } from "fzstd";
import { isGzip } from "../materials/unpack.js";

/** No ramdisk unpacks to more than a guest can have below 4 GiB. */
const MAX_UNPACKED_BYTES = 0x20000000;
const HEADER_BYTES = 110;
const TYPE_MASK = 0o170000;
const REGULAR_FILE = 0o100000;
const TRAILER = "TRAILER!!!";

export interface RamdiskFile {
  /** Without a slash at its beginning. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The regular files of a ramdisk, by name; undefined: it is of no form that is read here. */
export function ramdiskFiles(ramdisk: Uint8Array): readonly RamdiskFile[] | undefined {
  const files = new Map<string, Uint8Array>();
  let rest = withoutPadding(ramdisk);
  let archives = 0;
  while (rest.length > 0) {
    const unpacked = unpack(rest);
    if (unpacked === undefined) return undefined;
    const end = readArchive(unpacked, files);
    if (end === undefined) return undefined;
    archives++;
    // What is behind a packed archive is not looked for: the packing does not say where it ends.
    if (unpacked !== rest) break;
    rest = withoutPadding(rest.subarray(end));
  }
  if (archives === 0) return undefined;
  return [...files]
    .map(([name, bytes]) => ({ name, bytes }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function withoutPadding(bytes: Uint8Array): Uint8Array {
  const start = bytes.findIndex((byte) => byte !== 0);
  return start === -1 ? new Uint8Array() : bytes.subarray(start);
}

/** The bytes themselves when they are a cpio archive already. */
function unpack(bytes: Uint8Array): Uint8Array | undefined {
  const begins = (...magic: readonly number[]) => magic.every((byte, at) => bytes[at] === byte);
  try {
    if (begins(0x30, 0x37, 0x30, 0x37)) return bytes;
    if (isGzip(bytes)) return gunzipSync(bytes, { maxOutputLength: MAX_UNPACKED_BYTES });
    if (begins(0x28, 0xb5, 0x2f, 0xfd)) return decompress(bytes);
  } catch {
    // It is packed in this way, and damaged.
  }
  return undefined;
}

/** Reads one archive; gives its end, or undefined when it is none. */
function readArchive(bytes: Uint8Array, files: Map<string, Uint8Array>): number | undefined {
  const text = (start: number, end: number) => Buffer.from(bytes.subarray(start, end)).toString();
  let at = 0;
  while (at + HEADER_BYTES <= bytes.length) {
    const header = text(at, at + HEADER_BYTES);
    if (!/^07070[12][0-9A-Fa-f]{104}$/.test(header)) return undefined;
    const field = (index: number) => Number.parseInt(header.substr(6 + index * 8, 8), 16);
    const [mode, size, nameBytes] = [field(1), field(6), field(11)];
    const nameAt = at + HEADER_BYTES;
    const dataAt = aligned(nameAt + nameBytes);
    if (nameBytes === 0 || dataAt + size > bytes.length) return undefined;
    const name = text(nameAt, nameAt + nameBytes - 1);
    at = aligned(dataAt + size);
    if (name === TRAILER) return at;
    const plain = name.replace(/^(\.?\/)+/, "");
    if ((mode & TYPE_MASK) === REGULAR_FILE) {
      // A hard link's data stands with the last of its names.
      files.set(plain, bytes.subarray(dataAt, dataAt + size));
    }
  }
  return undefined;
}

function aligned(offset: number): number {
  return Math.ceil(offset / 4) * 4;
}
