// SPDX-License-Identifier: Apache-2.0
// One signed FIT image with all of a launch, as U-Boot checks and starts it: Xen as kernel, the
// device tree with the boot modules already in it, and the modules as what is loaded besides. Its
// signature covers all of them with their addresses. The same parts give the same bytes.

import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { decodeDeviceTree } from "../compiler/device-tree/decode.js";
import type { DeviceTree, DeviceTreeNode } from "../compiler/device-tree/device-tree.js";
import { encodeDeviceTree } from "../compiler/device-tree/encode.js";
import { cells, cells64, texts } from "../compiler/device-tree/values.js";
import { type LaunchParts, type MediumFile, xenCommandLine } from "./launch-parts.js";
import { MediaError } from "./problem.js";
import { runProgram } from "./programs.js";
import { readSigner, type Signer } from "./sign.js";
import { type BoardTree, fitScript, layOut, type MemoryLayout, scriptFiles } from "./uboot.js";
import { moduleNode, withChosen } from "./xen-tree.js";

export const fitPaths = { fit: "launch.itb", controlTree: "control.dtb" } as const;

/** What U-Boot knows the key by: its control tree has the node /signature/key-domb. */
export const KEY_NAME = "domb";

/** Sizes of RSA keys that U-Boot has names for. */
const keyBits = new Set([2048, 3072, 4096]);

/** libfdt counts in signed numbers of 32 bits. */
const MOST_BYTES = 0x7fffffff;

/** What nodes, properties and signature take besides the parts. */
const FRAME_BYTES = 0x10000;

const node = (
  name: string,
  properties: Readonly<Record<string, Uint8Array>>,
  children: readonly DeviceTreeNode[] = [],
): DeviceTreeNode => ({ name, properties: new Map(Object.entries(properties)), children });

/** A part of the image, which mkimage gives its digest. */
function partNode(
  name: string,
  type: string,
  data: Uint8Array,
  place: Readonly<Record<string, Uint8Array>>,
): DeviceTreeNode {
  const kind = { type: texts(type), arch: texts("arm64"), os: texts("linux") };
  const properties = { data, ...kind, compression: texts("none"), ...place };
  return node(name, properties, [node("hash-1", { algo: texts("sha256") })]);
}

/** The image's tree before it is signed. */
export function fitTree(
  xen: Uint8Array,
  board: DeviceTree,
  layout: MemoryLayout,
  parts: LaunchParts,
  algorithm: string,
): DeviceTree {
  const modules = layout.modules.map(moduleNode);
  const xenTree = encodeDeviceTree(withChosen(board, xenCommandLine(parts.xenOptions), modules));
  const load = (address: number) => ({ load: cells64(address) });
  const images = [
    partNode("xen", "kernel", xen, { ...load(layout.xen), entry: cells64(layout.xen) }),
    partNode("board", "flat_dt", xenTree, load(layout.board)),
    ...layout.modules.map(({ kind, content, address }) =>
      partNode(kind, "firmware", content, load(address)),
    ),
  ];
  const signature = node("signature-1", {
    algo: texts(algorithm),
    "key-name-hint": texts(KEY_NAME),
    "sign-images": texts("kernel", "fdt", "loadables"),
  });
  const configuration = node(
    "launch",
    {
      description: texts("launch"),
      kernel: texts("xen"),
      fdt: texts("board"),
      loadables: texts(...layout.modules.map(({ kind }) => kind)),
    },
    [signature],
  );
  const root = node(
    "",
    { timestamp: cells(0), description: texts("domb launch"), "#address-cells": cells(2) },
    [
      node("images", {}, images),
      node("configurations", { default: texts("launch") }, [configuration]),
    ],
  );
  return { bootCpu: 0, reservations: [], root };
}

/** Reads a tree that mkimage has written, and leaves out the room that it left. */
function packed(bytes: Uint8Array): Uint8Array {
  const tree = decodeDeviceTree(bytes, { place: {}, name: fitPaths.controlTree });
  if (!tree.ok) throw new Error("bug: mkimage left no device tree");
  return encodeDeviceTree(tree.value);
}

async function algorithmFor(signer: Signer): Promise<string> {
  const { publicKey } = await readSigner(signer);
  const bits = publicKey.asymmetricKeyDetails?.modulusLength ?? 0;
  if (keyBits.has(bits)) return `sha256,rsa${bits}`;
  throw new MediaError({
    kind: "unfit-key",
    what: `${signer.keyPath} has ${bits} bits; U-Boot wants 2048, 3072 or 4096`,
    fix: "Make one with `openssl req -x509 -newkey rsa:2048 -noenc`.",
  });
}

export interface SignedFit {
  readonly fit: Uint8Array;
  /** The board's tree with the public key, which U-Boot is to require: its control tree. */
  readonly controlTree: Uint8Array;
  /** Where U-Boot can load the image to, apart from where its parts go. */
  readonly address: number;
}

/** Makes and signs the image. Throws a MediaError if parts or key are unfit. */
export async function makeFit(
  xen: Uint8Array,
  board: BoardTree,
  parts: LaunchParts,
  signer: Signer,
  signal?: AbortSignal,
): Promise<SignedFit> {
  const algorithm = await algorithmFor(signer);
  const contents = [xen, board.bytes, parts.bootDomain, parts.image, parts.policy];
  const bytes = contents.reduce((sum, content) => sum + (content?.length ?? 0), FRAME_BYTES);
  if (bytes > MOST_BYTES) {
    const what = `the launch takes ${bytes} bytes in one file, more than a FIT image can have`;
    const fix = "Make its kernels and ramdisks smaller, or leave the key out.";
    throw new MediaError({ kind: "unfit-part", what, fix });
  }
  const layout = layOut(xen, board, parts, bytes);
  const tree = fitTree(xen, board.tree, layout, parts, algorithm);
  const directory = await mkdtemp(join(tmpdir(), "domb-media-"));
  try {
    await writeFile(join(directory, "fit"), encodeDeviceTree(tree, MOST_BYTES));
    await writeFile(join(directory, "control"), board.bytes);
    // mkimage takes keys by name from a folder; they stay where they are.
    await symlink(resolve(signer.keyPath), join(directory, `${KEY_NAME}.key`));
    await symlink(resolve(signer.certificatePath), join(directory, `${KEY_NAME}.crt`));
    const words = ["-F", "-k", ".", "-K", "control", "-r", "fit"];
    await runProgram("mkimage", words, { directory, signal });
    return {
      fit: await readFile(join(directory, "fit")),
      controlTree: packed(await readFile(join(directory, "control"))),
      address: layout.whole,
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The image, U-Boot's control tree, and a script that starts it. */
export async function fitFiles(
  xen: Uint8Array,
  board: BoardTree,
  parts: LaunchParts,
  signer: Signer,
  signal?: AbortSignal,
): Promise<readonly MediumFile[]> {
  const { fit, controlTree, address } = await makeFit(xen, board, parts, signer, signal);
  return [
    { path: fitPaths.fit, bytes: fit },
    { path: fitPaths.controlTree, bytes: controlTree },
    ...(await scriptFiles(fitScript(fitPaths.fit, address), signal)),
  ];
}
