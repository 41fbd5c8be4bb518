// SPDX-License-Identifier: Apache-2.0
// Unpacks a compressed kernel as Linux's build makes it: the format is told by the first bytes,
// the size by the last four. Output is bounded by that size, and that by MAX_UNPACKED_BYTES.

import { gunzipSync } from "node:zlib";
import * as zstd from "fzstd";
import { uncompressSync } from "lz4-napi";
import type { Result } from "../diagnostics/diagnostic.js";
import { type MaterialFile, materialFault } from "./material-file.js";
import { unpackXz } from "./xz.js";

/** No kernel is larger: what can lie below the hole that ends at 4 GiB, less the ramdisk. */
export const MAX_UNPACKED_BYTES = 0x40000000;

type Unpack = (packed: Uint8Array, size: number) => Uint8Array | Promise<Uint8Array>;

interface Compression {
  readonly name: string;
  readonly magic: readonly number[];
  /** Absent: known, but not read. */
  readonly unpack?: Unpack;
}

const compressions: readonly Compression[] = [
  { name: "gzip", magic: [0x1f, 0x8b], unpack: unpackGzip },
  { name: "xz", magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], unpack: unpackXz },
  { name: "zstd", magic: [0x28, 0xb5, 0x2f, 0xfd], unpack: unpackZstd },
  { name: "lz4", magic: [0x02, 0x21, 0x4c, 0x18], unpack: unpackLz4 },
  { name: "bzip2", magic: [0x42, 0x5a, 0x68] },
  { name: "lzma", magic: [0x5d, 0x00, 0x00] },
  { name: "lzo", magic: [0x89, 0x4c, 0x5a, 0x4f] },
];
const SIZE_BYTES = 4;

/** Whether the bytes start as a gzip file does. */
export function isGzip(bytes: Uint8Array): boolean {
  return compressionOf(bytes)?.name === "gzip";
}

function compressionOf(bytes: Uint8Array): Compression | undefined {
  return compressions.find(({ magic }) => magic.every((byte, index) => bytes[index] === byte));
}

/** Unpacks the payload of the bzImage `file`, or a file that is packed as a whole. */
export async function unpackKernel(
  payload: Uint8Array,
  file: MaterialFile,
): Promise<Result<Uint8Array>> {
  const compression = compressionOf(payload);
  const readable = compressions.filter(({ unpack }) => unpack).map(({ name }) => name);
  if (compression?.unpack === undefined) {
    const found = compression?.name ?? `bytes ${hexadecimalBytes(payload.subarray(0, 6))}`;
    return materialFault(
      file,
      "DOMB3006",
      `the kernel is packed with ${found}, wanted one of ${readable.join(", ")}`,
      "Build the kernel with one of these, or give its vmlinux.",
    );
  }
  const damaged = (reason: string) =>
    materialFault(
      file,
      "DOMB3007",
      `the kernel that is packed with ${compression.name} ${reason}`,
      "Copy the kernel again from where it came.",
    );
  const size = trailingSize(payload);
  if (size === 0 || size > MAX_UNPACKED_BYTES) {
    return damaged(`claims a size of ${size} bytes, wanted 1 to ${MAX_UNPACKED_BYTES}`);
  }
  // Gzip's own last field is the size; to the others Linux appends one.
  const packed = compression.name === "gzip" ? payload : payload.subarray(0, -SIZE_BYTES);
  let unpacked: Uint8Array;
  try {
    unpacked = await compression.unpack(packed, size);
  } catch (error) {
    // The libraries tell damage by exceptions, each of its own kind.
    return damaged(`does not unpack (${error instanceof Error ? error.message : String(error)})`);
  }
  if (unpacked.length !== size) {
    return damaged(`unpacks to ${unpacked.length} bytes, wanted ${size}`);
  }
  return { ok: true, value: unpacked, diagnostics: [] };
}

function trailingSize(payload: Uint8Array): number {
  const at = payload.length - SIZE_BYTES;
  if (at < 0) return 0;
  return new DataView(payload.buffer, payload.byteOffset).getUint32(at, true);
}

function unpackGzip(packed: Uint8Array, size: number): Uint8Array {
  return gunzipSync(packed, { maxOutputLength: size });
}

function unpackZstd(packed: Uint8Array, size: number): Uint8Array {
  const output = new Uint8Array(size);
  let length = 0;
  const stream = new zstd.Decompress((chunk) => {
    if (length + chunk.length > size) throw new Error(`more than ${size} bytes`);
    output.set(chunk, length);
    length += chunk.length;
  });
  stream.push(packed, true);
  return output.subarray(0, length);
}

/** LZ4's legacy frame: a magic number, then blocks of 8 MiB unpacked, each behind its size. */
const LZ4_BLOCK_BYTES = 0x800000;

function unpackLz4(packed: Uint8Array, size: number): Uint8Array {
  const output = new Uint8Array(size);
  const source = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  let length = 0;
  let at = 4;
  while (at < packed.length) {
    const blockEnd = at + 4 + source.getUint32(at, true);
    if (blockEnd > packed.length) throw new Error(`block at byte ${at} is cut short`);
    const block = new Uint8Array(packed.subarray(at, blockEnd));
    // The library wants a bound of the unpacked size where the frame has the packed one.
    new DataView(block.buffer).setUint32(0, Math.min(LZ4_BLOCK_BYTES, size - length), true);
    const unpacked = uncompressSync(block);
    output.set(unpacked, length);
    length += unpacked.length;
    at = blockEnd;
  }
  return output.subarray(0, length);
}

function hexadecimalBytes(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
