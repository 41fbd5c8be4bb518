// SPDX-License-Identifier: Apache-2.0
// The hardware of a device tree alone: without domains, modules, and what differs at each start.

import {
  childNamed,
  type DeviceTree,
  type DeviceTreeNode,
  isCompatible,
} from "../device-tree/device-tree.js";
import { chosenProperties, hardwareProperties } from "./device-tree-keys.js";
import { isModule, otherKind } from "./xen-nodes.js";

/** The board's own device tree. */
export function boardOf({ root, ...rest }: DeviceTree): DeviceTree {
  const children = root.children.map((node) =>
    node === childNamed(root, "chosen") ? hardwareOf(chosenOf(node)) : hardwareOf(node),
  );
  return { ...rest, root: { ...hardwareOf({ ...root, children: [] }), children } };
}

/** /chosen without what an import drops; what it does not know is dropped, too. */
function chosenOf(node: DeviceTreeNode): DeviceTreeNode {
  const properties = new Map(
    [...node.properties].filter(
      ([key]) =>
        Object.hasOwn(chosenProperties, key) && chosenProperties[key]?.treatment === "kept",
    ),
  );
  return { ...node, properties, children: withoutDomains(node.children) };
}

function withoutDomains(nodes: readonly DeviceTreeNode[]): readonly DeviceTreeNode[] {
  return nodes
    .filter(
      (node) =>
        !isModule(node) && !isCompatible(node, "xen,domain") && otherKind(node) === undefined,
    )
    .map((node) => ({ ...node, children: withoutDomains(node.children) }));
}

/** A node and all below it, without what assigns devices to domains. */
function hardwareOf(node: DeviceTreeNode): DeviceTreeNode {
  const properties = new Map(
    [...node.properties].filter(([key]) => !Object.hasOwn(hardwareProperties, key)),
  );
  return { ...node, properties, children: node.children.map(hardwareOf) };
}
