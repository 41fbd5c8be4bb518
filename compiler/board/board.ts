// SPDX-License-Identifier: Apache-2.0
// What the compiler takes from a board's device tree: which GIC the board has, its timer's frequency
// if the tree tells it, and its memory. A launch for another GIC is refused by Xen when it creates
// the first domain.

import { decodeDeviceTree } from "../device-tree/decode.js";
import { baseName, type DeviceTreeNode, nodesCompatibleWith } from "../device-tree/device-tree.js";
import { readCells, readRows, readText } from "../device-tree/values.js";
import type { Result } from "../diagnostics/diagnostic.js";
import { timerHertz } from "../guest/arm64/timer.js";
import type { GicVersion, GuestBoard } from "../guest/platform.js";
import { type MaterialFile, materialFault } from "../materials/material-file.js";

export interface Board extends GuestBoard {
  /** Bytes of all its memory. */
  readonly memoryBytes: number;
}

/** Drivers of Xen for each version (xen/arch/arm/gic-v2.c, gic-v3.c), by what they look for. */
const gicCompatibles: readonly (readonly [compatible: string, version: GicVersion])[] = [
  ["arm,gic-v3", 3],
  ["arm,cortex-a15-gic", 2],
  ["arm,cortex-a7-gic", 2],
  ["arm,gic-400", 2],
];

/** Reads a board's device tree. */
export function readBoard(file: MaterialFile): Result<Board> {
  const tree = decodeDeviceTree(file.bytes, { name: file.path, place: file.place });
  if (!tree.ok) return tree;
  const { root } = tree.value;
  const gic = gicCompatibles.find(([name]) => nodesCompatibleWith(root, name).length > 0)?.[1];
  if (gic === undefined) {
    const known = gicCompatibles.map(([name]) => name).join(", ");
    return materialFault(
      file,
      "DOMB3013",
      `no node is compatible with one of ${known}`,
      "Give the device tree of a board whose interrupt controller Xen knows.",
    );
  }
  const memoryBytes = memoryBanks(root).reduce((sum, { bytes }) => sum + bytes, 0);
  if (memoryBytes === 0) {
    return materialFault(
      file,
      "DOMB3013",
      "no node of the type memory says how much there is",
      "Give the device tree as the boot loader leaves it, or with the board's memory filled in.",
    );
  }
  return { ok: true, value: { gic, timerHertz: timerHertz(root), memoryBytes }, diagnostics: [] };
}

/** A range of physical addresses. */
export interface AddressRange {
  readonly address: number;
  readonly bytes: number;
}

/** The ranges that nodes' `reg` names; `parent` says how many cells a number has. */
export function rangesOf(
  parent: DeviceTreeNode,
  nodes: readonly DeviceTreeNode[],
): readonly AddressRange[] {
  const cellsOf = (name: string, otherwise: number): number => {
    const value = parent.properties.get(name);
    return (value && readCells(value)?.[0]) ?? otherwise;
  };
  const widths = [cellsOf("#address-cells", 2), cellsOf("#size-cells", 1)];
  return nodes
    .flatMap((node) => readRows(node.properties.get("reg") ?? new Uint8Array(), widths) ?? [])
    .map(([address = 0n, bytes = 0n]) => ({ address: Number(address), bytes: Number(bytes) }));
}

/** The board's memory, in the order of the tree. */
export function memoryBanks(root: DeviceTreeNode): readonly AddressRange[] {
  const isMemory = (node: DeviceTreeNode): boolean => {
    const type = node.properties.get("device_type");
    return type === undefined ? baseName(node) === "memory" : readText(type) === "memory";
  };
  return rangesOf(root, root.children.filter(isMemory));
}
