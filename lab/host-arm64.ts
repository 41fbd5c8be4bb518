// SPDX-License-Identifier: Apache-2.0
// An arm64 host in QEMU: Xen is an Image, boot modules lie in memory, and a device tree says where.
// The tree is the board's own, static one; /chosen alone is of the boot, and names no domain.

import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { decodeDeviceTree } from "../compiler/device-tree/decode.js";
import type { DeviceTree, DeviceTreeNode } from "../compiler/device-tree/device-tree.js";
import { encodeDeviceTree } from "../compiler/device-tree/encode.js";
import { cells, texts } from "../compiler/device-tree/values.js";
import type { GicVersion } from "../compiler/guest/platform.js";
import { DEFAULT_BOARD } from "../compiler/guest/platforms.js";
import { moduleNode, withChosen } from "../media/xen-tree.js";
import { paths } from "../setup/paths.js";
import { commonWords, type HostRequest, hostFiles, quoteCommas } from "./qemu.js";

export const arm64Program = "qemu-system-aarch64";

/** Words for the board's processor. */
export const arm64Processor = ["-cpu", "cortex-a57"] as const;

/** QEMU's name of the board: its virtualization is the processor's EL2, where Xen runs. */
export function arm64Machine(gic: GicVersion = DEFAULT_BOARD.gic): string {
  return `virt,virtualization=on,gic-version=${gic}`;
}

/** A file at an address of the host's memory. */
export interface LoadedFile {
  readonly file: string;
  readonly address: number;
  readonly bytes: number;
}

/** Address of the board's memory. */
export const arm64MemoryStart = 0x40000000;
/** Behind Xen, at the memory's start, and the device tree, which QEMU puts 128 MiB above it. */
const firstModule = 0x49000000;
/** What Xen maps at once. */
const alignment = 0x200000;

/** Where QEMU is to load files of these sizes. */
export function placeFiles<T extends { readonly bytes: number }>(
  files: readonly T[],
): (T & { readonly address: number })[] {
  let end = firstModule;
  return files.map((file) => {
    const address = end;
    end += Math.ceil(file.bytes / alignment) * alignment;
    return { ...file, address };
  });
}

/** The least memory, in bytes, of a host that is started with modules of these sizes. */
export function leastArm64Memory(moduleBytes: readonly number[]): number {
  const last = placeFiles(moduleBytes.map((bytes) => ({ bytes }))).at(-1);
  return (last === undefined ? firstModule : last.address + last.bytes) - arm64MemoryStart;
}

/** Path of the device tree of the board that QEMU emulates. */
export function boardFile(gic: GicVersion = DEFAULT_BOARD.gic): string {
  return gic === 3 ? paths.arm64Board : paths.arm64BoardGicV2;
}

/** That device tree. */
export async function readBoard(gic?: GicVersion): Promise<DeviceTree> {
  const file = boardFile(gic);
  const board = decodeDeviceTree(await readFile(file), { place: { file }, name: file });
  if (board.ok) return board.value;
  throw new Error(board.diagnostics.map(({ message }) => message).join("\n"));
}

/** The board with so many processors like its first one; firmware below Xen starts them. */
function withCpus(tree: DeviceTree, count: number): DeviceTree {
  if (count === 1) return tree;
  const withMore = (node: DeviceTreeNode): DeviceTreeNode => {
    const first = node.children.find(({ name }) => name === "cpu@0");
    if (first === undefined) return node;
    const others = Array.from({ length: count }, (_, cpu) => ({
      name: `cpu@${cpu.toString(16)}`,
      properties: new Map([
        ...[...first.properties].filter(([name]) => name !== "phandle"),
        ["reg", cells(cpu)] as const,
        ["enable-method", texts("psci")] as const,
      ]),
      children: [],
    }));
    return { ...node, children: others };
  };
  const children = tree.root.children.map((node) => (node.name === "cpus" ? withMore(node) : node));
  return { ...tree, root: { ...tree.root, children } };
}

const treeFile = "device-tree";

/** The words of QEMU's command line for this tree and these files; writes the tree beside them. */
export async function arm64WordsWith(
  tree: DeviceTree,
  files: readonly LoadedFile[],
  request: Omit<HostRequest, "modules" | "xenCommandLine">,
): Promise<string[]> {
  const board = withCpus(tree, request.cpus ?? 1);
  await writeFile(join(request.directory, treeFile), encodeDeviceTree(board));
  return [
    ...["-machine", arm64Machine(request.gic), ...arm64Processor],
    ...commonWords(request),
    // QEMU itself writes the memory's size into the tree.
    ...["-kernel", hostFiles.xen, "-dtb", treeFile],
    ...files.flatMap(({ file, address }) => [
      "-device",
      `loader,file=${quoteCommas(file)},addr=0x${address.toString(16)},force-raw=on`,
    ]),
  ];
}

/** The words of QEMU's command line; the modules' files must be there. */
export async function arm64Words(request: HostRequest): Promise<string[]> {
  const sized = request.modules.map(async (module) => {
    const { size } = await stat(join(request.directory, module.file));
    return { ...module, bytes: size };
  });
  const placed = placeFiles(await Promise.all(sized));
  const tree = withChosen(
    await readBoard(request.gic),
    request.xenCommandLine,
    placed.map(moduleNode),
  );
  return arm64WordsWith(tree, placed, request);
}
