// SPDX-License-Identifier: Apache-2.0
// Undoes xz's x86 branch filter: the packer made the relative targets of calls and jumps absolute,
// so that equal ones look equal. Specified by what every xz decoder does; starts at offset 0.

/** Bytes of a call or jump with a 32-bit target. */
const INSTRUCTION_BYTES = 5;

/**
 * Which recent bytes looked like opcodes, too: bit 0 for the byte before, bit 1 for two, bit 2 for
 * three before. With some patterns the packer left the target as it was.
 */
const MAY_CONVERT = [true, true, true, false, true, false, false, false];
/** Byte of the target, from its end, that such an opcode would have taken for its highest. */
const DOUBTFUL_BYTE = [0, 1, 2, 2, 3, 3, 3, 3];

/** Changes `bytes`, the whole of what was packed, in place. */
export function undoBranchFilter(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let seen = 0;
  let last = -INSTRUCTION_BYTES;
  for (let at = 0; at + INSTRUCTION_BYTES <= bytes.length; at++) {
    if ((view.getUint8(at) & 0xfe) !== 0xe8) continue;
    const distance = at - last;
    seen = distance > 3 ? 0 : (seen << (distance - 1)) & 7;
    last = at;
    const doubtful = DOUBTFUL_BYTE[seen] ?? 0;
    const leftAlone =
      seen !== 0 && (!MAY_CONVERT[seen] || isSignByte(view.getUint8(at + 4 - doubtful)));
    if (leftAlone || !isSignByte(view.getUint8(at + 4))) {
      seen = (seen << 1) | 1;
      continue;
    }
    view.setUint32(at + 1, relativeTarget(view.getUint32(at + 1, true), at, seen, doubtful), true);
    at += INSTRUCTION_BYTES - 1;
    last = at - (INSTRUCTION_BYTES - 1);
  }
}

function relativeTarget(absolute: number, at: number, seen: number, doubtful: number): number {
  let target = absolute;
  let relative = (target - (at + INSTRUCTION_BYTES)) >>> 0;
  while (seen !== 0 && isSignByte((relative >>> (24 - doubtful * 8)) & 0xff)) {
    // The packer turned these bits, or the doubtful byte would have become a sign.
    target = (relative ^ (2 ** (32 - doubtful * 8) - 1)) >>> 0;
    relative = (target - (at + INSTRUCTION_BYTES)) >>> 0;
  }
  // 25 bits are kept; the highest of them is the sign.
  return ((relative << 7) >> 7) >>> 0;
}

/** The highest byte of a near target is all zeros or all ones. */
function isSignByte(byte: number): boolean {
  return byte === 0 || byte === 0xff;
}
