// SPDX-License-Identifier: Apache-2.0
// A device tree as the compiler works on it, its limits, and how nodes are found in it.

import { readTexts } from "./values.js";

export interface DeviceTree {
  /** Physical id of the boot CPU. */
  readonly bootCpu: number;
  /** Memory that nobody may use, with 64-bit addresses. */
  readonly reservations: readonly Reservation[];
  readonly root: DeviceTreeNode;
}

export interface Reservation {
  readonly address: bigint;
  /** Never 0 together with the address: that pair ends the list in a file. */
  readonly bytes: bigint;
}

export interface DeviceTreeNode {
  /** With its unit address, as in `memory@40000000`; empty for the root. */
  readonly name: string;
  /** In the order of the file. */
  readonly properties: ReadonlyMap<string, Uint8Array>;
  /** In the order of the file, each with a name of its own. */
  readonly children: readonly DeviceTreeNode[];
}

/** Bytes of a flattened tree: Xen maps no more (MAX_FDT_SIZE). */
export const MAX_TREE_BYTES = 2 * 1024 * 1024;

/** Nodes within each other, the root among them. */
export const MAX_TREE_DEPTH = 64;

/** A node's name: a name and perhaps a unit address. Boards exceed the specification's 31 letters. */
export const NODE_NAME_PATTERN = /^[A-Za-z0-9,._+-]{1,127}(@[A-Za-z0-9,._+-]{1,127})?$/;

/** A property's name. */
export const PROPERTY_NAME_PATTERN = /^[A-Za-z0-9,._+?#-]{1,127}$/;

/** A node and its path from the root. */
export interface PlacedNode {
  readonly path: string;
  readonly node: DeviceTreeNode;
}

/** The name without the unit address. */
export function baseName({ name }: DeviceTreeNode): string {
  return name.split("@", 1)[0] ?? "";
}

/**
 * The child with this name. The unit address may be left out where it is not needed to tell two
 * children apart.
 */
export function childNamed(node: DeviceTreeNode, name: string): DeviceTreeNode | undefined {
  const whole = node.children.find((child) => child.name === name);
  if (whole !== undefined) return whole;
  const [only, ...others] = node.children.filter((child) => baseName(child) === name);
  return others.length === 0 ? only : undefined;
}

/** The node at a path, as in `/cpus/cpu@0`; `/` is the root. */
export function nodeAt(root: DeviceTreeNode, path: string): DeviceTreeNode | undefined {
  let node: DeviceTreeNode | undefined = root;
  for (const name of path.split("/").filter((part) => part !== "")) {
    node = node === undefined ? undefined : childNamed(node, name);
  }
  return node;
}

/** Every node with its path, parents first, in the order of the file. */
export function* allNodes(root: DeviceTreeNode): Generator<PlacedNode> {
  const waiting: PlacedNode[] = [{ path: "/", node: root }];
  for (let placed = waiting.pop(); placed !== undefined; placed = waiting.pop()) {
    yield placed;
    const folder = placed.path === "/" ? "" : placed.path;
    const children = placed.node.children.map((node) => ({ path: `${folder}/${node.name}`, node }));
    waiting.push(...children.reverse());
  }
}

/** Whether one of the node's `compatible` texts is this one. */
export function isCompatible(node: DeviceTreeNode, compatible: string): boolean {
  const value = node.properties.get("compatible");
  return value !== undefined && (readTexts(value)?.includes(compatible) ?? false);
}

/** All nodes with this `compatible` text, in the order of the file. */
export function nodesCompatibleWith(root: DeviceTreeNode, compatible: string): PlacedNode[] {
  return [...allNodes(root)].filter(({ node }) => isCompatible(node, compatible));
}
