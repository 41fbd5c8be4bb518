// SPDX-License-Identifier: Apache-2.0
// Digests of what lies in the image and in linear memory, compared with what they should be.

import { DIGEST_BYTES, PAGE_SIZE } from "../../contract/limits";
import { imageRead } from "./machine";
import { DIGEST, PIECE, PIECE_BYTES } from "./memory";
import { sha256Begin, sha256Blocks, sha256End } from "./sha256";

/** Whether the digest in DIGEST is the one at `wanted`. */
function digestIs(wanted: u32): bool {
  return memory.compare(DIGEST, wanted, DIGEST_BYTES) == 0;
}

/** Digests `bytes` bytes at `address` to DIGEST; 128 bytes behind them may be overwritten. */
export function digestMemory(address: u32, bytes: u32): void {
  const whole = bytes / 64;
  sha256Begin();
  sha256Blocks(address, whole);
  sha256End(address + whole * 64, bytes % 64, bytes);
}

/** The same, compared. */
export function digestOfMemoryIs(wanted: u32, address: u32, bytes: u32): bool {
  digestMemory(address, bytes);
  return digestIs(wanted);
}

/**
 * Digests `bytes` bytes of the image from `offset`, a piece at a time. The rest of the last page
 * must be zero: whole pages are copied.
 */
export function digestOfImageIs(wanted: u32, offset: u32, bytes: u32): bool {
  let left = bytes;
  sha256Begin();
  while (left >= PIECE_BYTES) {
    imageRead(offset, PIECE, PIECE_BYTES);
    sha256Blocks(PIECE, PIECE_BYTES / 64);
    offset += PIECE_BYTES;
    left -= PIECE_BYTES;
  }
  const page = (left + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
  imageRead(offset, PIECE, page);
  for (let byte = left; byte < page; byte++) {
    if (load<u8>(PIECE + byte) != 0) return false;
  }
  sha256Blocks(PIECE, left / 64);
  sha256End(PIECE + (left & ~63), left % 64, bytes);
  return digestIs(wanted);
}
