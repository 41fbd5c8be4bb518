// SPDX-License-Identifier: Apache-2.0
// Unpacks xz as Linux's build makes it: one block of LZMA2, most often behind the x86 branch
// filter. The library knows LZMA2 alone and no more: the block is wrapped anew without filter and
// check, and both are applied here. Format: "The .xz File Format", version 1.2.1.

import { crc32 } from "node:zlib";
import xzDecompress from "xz-decompress";
import { undoBranchFilter } from "./x86-branch-filter.js";

const HEADER_MAGIC = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00];
const FOOTER_MAGIC = [0x59, 0x5a];
const STREAM_HEADER_BYTES = 12;
const FILTER_X86 = 0x04;
const FILTER_LZMA2 = 0x21;
/** Check types; any other one is read past, not checked: the kernel's size is still. */
const CHECK_CRC32 = 1;
/** Block flags: sizes that may stand before the filters. */
const HAS_PACKED_SIZE = 0x40;
const HAS_UNPACKED_SIZE = 0x80;

/** Unpacks at most `size` bytes; rejects when the data is damaged or holds more. */
export async function unpackXz(packed: Uint8Array, size: number): Promise<Uint8Array> {
  const block = readBlock(packed);
  const unpacked = await unpackLzma2(wrap(block), size);
  if (block.branchFilter) undoBranchFilter(unpacked);
  if (block.crc32 !== undefined && crc32(unpacked) !== block.crc32) {
    throw new Error("CRC32 of the unpacked bytes differs");
  }
  return unpacked;
}

interface Block {
  readonly dictionary: number;
  readonly branchFilter: boolean;
  /** LZMA2 chunks, their end marker included. */
  readonly chunks: Uint8Array;
  readonly unpackedBytes: number;
  readonly crc32: number | undefined;
}

/** The first block of a stream; a second one does not come from Linux's build. */
function readBlock(packed: Uint8Array): Block {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const check = view.getUint8(7) & 0xf;
  const headerBytes = (view.getUint8(STREAM_HEADER_BYTES) + 1) * 4;
  const chunksAt = STREAM_HEADER_BYTES + headerBytes;
  const header = packed.subarray(STREAM_HEADER_BYTES, chunksAt - 4);
  if (headerBytes === 4 || crc32(header) !== view.getUint32(chunksAt - 4, true)) {
    throw new Error("the block's header is damaged");
  }
  const { dictionary, branchFilter } = readFilters(header);
  const { end, unpackedBytes } = walkChunks(view, chunksAt);
  const checkAt = chunksAt + Math.ceil((end - chunksAt) / 4) * 4;
  return {
    dictionary,
    branchFilter,
    chunks: packed.subarray(chunksAt, end),
    unpackedBytes,
    crc32: check === CHECK_CRC32 ? view.getUint32(checkAt, true) : undefined,
  };
}

function readFilters(header: Uint8Array): { dictionary: number; branchFilter: boolean } {
  const flags = header[1] ?? 0;
  let at = 2;
  const next = () => {
    const byte = header[at++];
    if (byte === undefined) throw new Error("the block's header ends early");
    return byte;
  };
  const skipNumber = () => {
    while (next() & 0x80);
  };
  if (flags & HAS_PACKED_SIZE) skipNumber();
  if (flags & HAS_UNPACKED_SIZE) skipNumber();
  let branchFilter = false;
  for (let filters = (flags & 3) + 1; filters > 0; filters--) {
    const filter = next();
    const properties = next();
    if (filter === FILTER_LZMA2 && properties === 1) return { dictionary: next(), branchFilter };
    if (filter !== FILTER_X86 || properties !== 0) {
      throw new Error(`filter 0x${filter.toString(16)} is none that Linux uses for x86`);
    }
    branchFilter = true;
  }
  throw new Error("the block has no LZMA2 filter");
}

/** Where the chunks end, and how many bytes they hold: from their headers alone. */
function walkChunks(view: DataView, start: number): { end: number; unpackedBytes: number } {
  let at = start;
  let unpackedBytes = 0;
  for (;;) {
    const control = view.getUint8(at);
    if (control === 0) return { end: at + 1, unpackedBytes };
    const low = view.getUint16(at + 1) + 1;
    if (control >= 0x80) {
      const propertyBytes = control >= 0xc0 ? 1 : 0;
      unpackedBytes += ((control & 0x1f) << 16) + low;
      at += 5 + propertyBytes + view.getUint16(at + 3) + 1;
    } else {
      unpackedBytes += low;
      at += 3 + low;
    }
  }
}

/** A stream with only the block's chunks: no filter before LZMA2, no check. */
function wrap({ dictionary, chunks, unpackedBytes }: Block): Uint8Array {
  const streamFlags = Buffer.of(0, 0);
  const blockHeader = withCrc32(Buffer.of(2, 0, FILTER_LZMA2, 1, dictionary, 0, 0, 0));
  const index = withCrc32(
    padded([0, 1, ...variable(blockHeader.length + chunks.length), ...variable(unpackedBytes)]),
  );
  const backward = Buffer.alloc(4);
  backward.writeUInt32LE(index.length / 4 - 1);
  const footer = Buffer.concat([backward, streamFlags]);
  return Buffer.concat([
    Buffer.from(HEADER_MAGIC),
    withCrc32(streamFlags),
    blockHeader,
    chunks,
    Buffer.alloc(-chunks.length & 3),
    index,
    withCrc32(footer).subarray(-4),
    footer,
    Buffer.from(FOOTER_MAGIC),
  ]);
}

function withCrc32(bytes: Buffer): Buffer {
  const check = Buffer.alloc(4);
  check.writeUInt32LE(crc32(bytes));
  return Buffer.concat([bytes, check]);
}

function padded(bytes: readonly number[]): Buffer {
  return Buffer.concat([Buffer.from(bytes), Buffer.alloc(-bytes.length & 3)]);
}

/** A number of the format: 7 bits a byte, the lowest first. */
function variable(value: number): readonly number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...variable(Math.floor(value / 0x80))];
}

async function unpackLzma2(stream: Uint8Array, size: number): Promise<Uint8Array> {
  const source = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(stream);
      controller.close();
    },
  });
  const output = new Uint8Array(size);
  let length = 0;
  for await (const chunk of new xzDecompress.XzReadableStream(source)) {
    if (length + chunk.length > size) throw new Error(`more than ${size} bytes`);
    output.set(chunk, length);
    length += chunk.length;
  }
  return output.subarray(0, length);
}
