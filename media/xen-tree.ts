// SPDX-License-Identifier: Apache-2.0
// The device tree that Xen is started with on arm64: the board's own, and in /chosen Xen's options
// and where the boot modules lie.

import type { DeviceTree, DeviceTreeNode } from "../compiler/device-tree/device-tree.js";
import { cells, cells64, texts } from "../compiler/device-tree/values.js";

export type ModuleKind = "kernel" | "ramdisk" | "policy";

/** A boot module where it lies in memory. */
export interface PlacedModule {
  readonly kind: ModuleKind;
  readonly commandLine?: string;
  readonly address: number;
  readonly bytes: number;
}

/** `compatible` of a module, as Xen's docs/misc/arm/device-tree/booting.txt has it. */
export const moduleCompatibles: Readonly<Record<ModuleKind, readonly string[]>> = {
  kernel: ["multiboot,kernel", "multiboot,module"],
  ramdisk: ["multiboot,ramdisk", "multiboot,module"],
  policy: ["xen,xsm-policy", "multiboot,module"],
};

/** The name of the node of the module that lies there. */
export function moduleName(address: number): string {
  return `module@${address.toString(16)}`;
}

/** The node that tells Xen of a module. */
export function moduleNode({ kind, commandLine, address, bytes }: PlacedModule): DeviceTreeNode {
  const properties = new Map([
    ["compatible", texts(...moduleCompatibles[kind])],
    ["reg", cells64(address, bytes)],
  ]);
  if (commandLine !== undefined) properties.set("bootargs", texts(commandLine));
  return { name: moduleName(address), properties, children: [] };
}

/** The board's tree, with Xen's command line and further nodes in /chosen. */
export function withChosen(
  board: DeviceTree,
  xenCommandLine: string,
  nodes: readonly DeviceTreeNode[],
): DeviceTree {
  const isChosen = ({ name }: DeviceTreeNode): boolean => name === "chosen";
  const chosen = board.root.children.find(isChosen);
  const added: DeviceTreeNode = {
    name: "chosen",
    properties: new Map([
      ...(chosen?.properties ?? []),
      ["#address-cells", cells(2)],
      ["#size-cells", cells(2)],
      ["xen,xen-bootargs", texts(xenCommandLine)],
    ]),
    children: [...(chosen?.children ?? []), ...nodes],
  };
  const others = board.root.children.filter((node) => !isChosen(node));
  return { ...board, root: { ...board.root, children: [...others, added] } };
}
