// SPDX-License-Identifier: Apache-2.0
// The device trees of the arm64 boards that QEMU emulates, as QEMU itself tells them. They change
// with QEMU alone: the random seeds, which differ each time, are left out.

import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { execa } from "execa";
import { decodeDeviceTree } from "../compiler/device-tree/decode.js";
import type { DeviceTree, DeviceTreeNode } from "../compiler/device-tree/device-tree.js";
import { encodeDeviceTree } from "../compiler/device-tree/encode.js";
import type { GicVersion } from "../compiler/guest/platform.js";
import { arm64Machine, arm64Processor, arm64Program, boardFile } from "./host-arm64.js";

const seeds = new Set(["kaslr-seed", "rng-seed"]);

/** The node without seeds. */
function withoutSeeds(node: DeviceTreeNode): DeviceTreeNode {
  const properties = new Map([...node.properties].filter(([name]) => !seeds.has(name)));
  return { ...node, properties, children: node.children.map(withoutSeeds) };
}

/** Asks QEMU for the board's tree. */
export async function dumpBoard(gic?: GicVersion): Promise<DeviceTree> {
  const directory = await mkdtemp(join(tmpdir(), "domb-board-"));
  try {
    const machine = `${arm64Machine(gic)},dumpdtb=board.dtb`;
    const words = ["-machine", machine, ...arm64Processor, "-smp", "1", "-m", "1G"];
    const without = ["-display", "none", "-net", "none", "-nodefaults"];
    await execa(arm64Program, [...words, ...without], { cwd: directory });
    const name = `the device tree that ${arm64Program} dumped`;
    const tree = decodeDeviceTree(await readFile(join(directory, "board.dtb")), {
      place: {},
      name,
    });
    if (!tree.ok) throw new Error(tree.diagnostics.map(({ message }) => message).join("\n"));
    return { ...tree.value, root: withoutSeeds(tree.value.root) };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  for (const gic of [2, 3] as const) {
    const board = boardFile(gic);
    await mkdir(dirname(board), { recursive: true });
    await writeFile(`${board}.new`, encodeDeviceTree(await dumpBoard(gic)));
    await rename(`${board}.new`, board);
  }
}
