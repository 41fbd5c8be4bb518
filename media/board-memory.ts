// SPDX-License-Identifier: Apache-2.0
// Where in an arm64 board's memory U-Boot puts what it starts Xen with. All addresses are known when
// the medium is made; nothing lies over another, over what the board's tree reserves, or over U-Boot.

import { type AddressRange, memoryBanks, rangesOf } from "../compiler/board/board.js";
import { type DeviceTree, nodeAt } from "../compiler/device-tree/device-tree.js";
import { MediaError } from "./problem.js";

/** What Xen maps at once, and what an Image's place is a multiple of. */
const ALIGNMENT = 0x200000;
/** From the start of memory: firmware, and what U-Boot loads of its own: scripts, device trees. */
const FIRST_BYTES = 128 * 0x100000;
/** Below the end of memory: U-Boot itself, which moves there, with its heap, stack and tree. */
const LAST_BYTES = 64 * 0x100000;

/** The range without another: what is left before it and after it. */
function without({ address, bytes }: AddressRange, hole: AddressRange): AddressRange[] {
  const end = address + bytes;
  const holeEnd = hole.address + hole.bytes;
  if (hole.bytes === 0 || hole.address >= end || holeEnd <= address) return [{ address, bytes }];
  return [
    { address, bytes: hole.address - address },
    { address: holeEnd, bytes: end - holeEnd },
  ].filter((left) => left.bytes > 0);
}

/** Memory that is nobody's while U-Boot runs, from the lowest address upwards. */
export function freeMemory({ root, reservations }: DeviceTree): readonly AddressRange[] {
  const banks = memoryBanks(root).toSorted((a, b) => a.address - b.address);
  const reserved = nodeAt(root, "/reserved-memory");
  const start = Math.min(...banks.map(({ address }) => address));
  const holes = [
    { address: start, bytes: FIRST_BYTES },
    ...banks.map(({ address, bytes }) => ({
      address: Math.max(address, address + bytes - LAST_BYTES),
      bytes: LAST_BYTES,
    })),
    ...reservations.map(({ address, bytes }) => ({
      address: Number(address),
      bytes: Number(bytes),
    })),
    ...(reserved === undefined ? [] : rangesOf(reserved, reserved.children)),
  ];
  return holes.reduce<readonly AddressRange[]>(
    (ranges, hole) => ranges.flatMap((range) => without(range, hole)),
    banks,
  );
}

/** Addresses for parts of these sizes, in their order. Throws a MediaError if one has no room. */
export function placeInMemory(board: DeviceTree, sizes: readonly number[]): readonly number[] {
  const free = freeMemory(board).map(({ address, bytes }) => ({
    next: Math.ceil(address / ALIGNMENT) * ALIGNMENT,
    end: address + bytes,
  }));
  return sizes.map((size) => {
    const range = free.find(({ next, end }) => next + size <= end);
    if (range === undefined) {
      const bytes = sizes.reduce((sum, one) => sum + one, 0);
      throw new MediaError({
        kind: "unfit-part",
        what:
          `the parts take ${bytes} bytes, which the board's memory has no room for, after its first ` +
          `${FIRST_BYTES} bytes and before its last ${LAST_BYTES}`,
        fix: "Give the device tree with all of the board's memory, or make the launch smaller.",
      });
    }
    const address = range.next;
    range.next = Math.ceil((address + size) / ALIGNMENT) * ALIGNMENT;
    return address;
  });
}
