// SPDX-License-Identifier: Apache-2.0
// Reads an arm64 Image, plain or packed with gzip: a header of 64 bytes in front of the kernel as it
// lies in memory (Linux, Documentation/arm64/booting.rst). Every field is hostile.

import { GUEST_RAM0_BASE, GUEST_RAM0_SIZE } from "../../contract/xen-abi-arm64.js";
import type { Result } from "../diagnostics/diagnostic.js";
import type { Kernel } from "./elf.js";
import { type MaterialFile, materialFault } from "./material-file.js";

const HEADER_BYTES = 64;
const MAGIC = 0x644d5241;
const MAGIC_OFFSET = 56;
const TEXT_OFFSET_OFFSET = 8;
const IMAGE_SIZE_OFFSET = 16;
const FLAGS_OFFSET = 24;
const BIG_ENDIAN = 1n;
/** An Image lies at a multiple of this, plus its text offset. */
const ALIGNMENT = 0x200000;

/** Whether the bytes start as an Image does. */
export function isArm64Image(bytes: Uint8Array): boolean {
  return bytes.length >= HEADER_BYTES && viewOf(bytes).getUint32(MAGIC_OFFSET, true) === MAGIC;
}

/** Bytes of memory that an Image takes from its start: more than the file has, if it has a bss. */
export function imageMemoryBytes(image: Uint8Array): number {
  return Math.max(image.length, Number(viewOf(image).getBigUint64(IMAGE_SIZE_OFFSET, true)));
}

/** Reads an Image, which lies as low in the guest's memory as its header asks for. */
export function readArm64Image(bytes: Uint8Array, file: MaterialFile): Result<Kernel> {
  const view = viewOf(bytes);
  const textOffset = view.getBigUint64(TEXT_OFFSET_OFFSET, true);
  const imageBytes = view.getBigUint64(IMAGE_SIZE_OFFSET, true);
  if ((view.getBigUint64(FLAGS_OFFSET, true) & BIG_ENDIAN) !== 0n) {
    return fault(file, "flags", "big-endian", "a little-endian kernel");
  }
  if (textOffset >= BigInt(ALIGNMENT)) {
    return fault(
      file,
      "text_offset",
      hexadecimal(textOffset),
      `less than 0x${ALIGNMENT.toString(16)}`,
    );
  }
  if (imageBytes < BigInt(bytes.length) || imageBytes + textOffset > BigInt(GUEST_RAM0_SIZE)) {
    return fault(
      file,
      "image_size",
      hexadecimal(imageBytes),
      `0x${bytes.length.toString(16)}, the file's size, to what fits in 3 GiB of memory`,
    );
  }
  const address = GUEST_RAM0_BASE + Number(textOffset);
  return {
    ok: true,
    value: {
      architecture: "arm64",
      entry: address,
      segments: [{ address, bytes, memoryBytes: Number(imageBytes) }],
    },
    diagnostics: [],
  };
}

function fault(file: MaterialFile, field: string, found: string, wanted: string): Result<never> {
  return materialFault(
    file,
    "DOMB3011",
    `${field} of the Image's header is ${found}, wanted ${wanted}`,
    "Build the kernel for arm64, little-endian, with Linux 3.17's header or a later one.",
  );
}

function hexadecimal(value: bigint): string {
  return `0x${value.toString(16)}`;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
