// SPDX-License-Identifier: Apache-2.0
// What Xen reads in the nodes below /chosen, and how nodes and values are shown to people.

import { type DeviceTreeNode, isCompatible } from "../device-tree/device-tree.js";
import { readCells, readText, readTexts } from "../device-tree/values.js";
import { nodeKinds } from "./device-tree-keys.js";

/** What modules are, by what their nodes are compatible with; Xen's older names among them. */
const moduleKinds = {
  "multiboot,kernel": "multiboot,kernel",
  "xen,linux-zimage": "multiboot,kernel",
  "multiboot,ramdisk": "multiboot,ramdisk",
  "xen,linux-initrd": "multiboot,ramdisk",
  "multiboot,device-tree": "multiboot,device-tree",
  "xen,xsm-policy": "xen,xsm-policy",
} as const;

export type ModuleKind = (typeof moduleKinds)[keyof typeof moduleKinds];

/** Cells of addresses and of sizes in a node's children. */
export type Cells = readonly [address: number, size: number];

/** Xen's, where a tree does not say. */
export const DEFAULT_CELLS: Cells = [2, 1];

export function isModule(node: DeviceTreeNode): boolean {
  return isCompatible(node, "multiboot,module") || isCompatible(node, "xen,multiboot-module");
}

export function cellsOf(node: DeviceTreeNode, [address, size]: Cells): Cells {
  const count = (key: string, otherwise: number): number => {
    const cells = readCells(node.properties.get(key) ?? new Uint8Array(0));
    return cells?.length === 1 && cells[0] !== undefined && cells[0] <= 2 ? cells[0] : otherwise;
  };
  return [count("#address-cells", address), count("#size-cells", size)];
}

export function kindOf(node: DeviceTreeNode): ModuleKind | undefined {
  const compatible = readTexts(node.properties.get("compatible") ?? new Uint8Array(0)) ?? [];
  const known = compatible.find((text) => Object.hasOwn(moduleKinds, text));
  return moduleKinds[known as keyof typeof moduleKinds];
}

/** What a node of Xen's is, if it is known and neither a domain nor a module. */
export function otherKind(node: DeviceTreeNode): string | undefined {
  const isOther = (kind: string) => kind !== "xen,domain" && !Object.hasOwn(moduleKinds, kind);
  return Object.keys(nodeKinds).find((kind) => isOther(kind) && isCompatible(node, kind));
}

/** Xen's options, from the property in which Xen looks for them. */
export function xenOptionsOf(chosen: DeviceTreeNode): string | undefined {
  const text = (key: string) => readText(chosen.properties.get(key) ?? new Uint8Array(0));
  const own = text("xen,xen-bootargs");
  if (own !== undefined) return own;
  const kernel = chosen.children.find(
    (node) =>
      isModule(node) && kindOf(node) === "multiboot,kernel" && node.properties.has("bootargs"),
  );
  const isXens = chosen.properties.has("xen,dom0-bootargs") || kernel !== undefined;
  return isXens ? text("bootargs") : undefined;
}

/** A node in a few words: what it is compatible with, and what it has. */
export function summaryOf({ properties, children }: DeviceTreeNode): string {
  const compatible = properties.get("compatible");
  const others = [...properties.keys(), ...children.map(({ name }) => `${name} {}`)].filter(
    (key) => key !== "compatible",
  );
  const parts = [
    ...(compatible === undefined ? [] : [showValue(compatible)]),
    ...(others.length === 0 ? [] : [`with ${others.join(", ")}`]),
  ];
  return parts.join(" ");
}

/** A value as the source of a device tree would have it. */
export function showValue(value: Uint8Array): string {
  if (value.length === 0) return "";
  const all = readTexts(value);
  if (all?.every((text) => /^[\p{L}\p{N}\p{P}\p{S} ]+$/u.test(text))) {
    return all.map((text) => JSON.stringify(text)).join(", ");
  }
  const cells = readCells(value);
  if (cells !== undefined) return `<${cells.map((cell) => `0x${cell.toString(16)}`).join(" ")}>`;
  return `[${Buffer.from(value).toString("hex")}]`;
}
