// SPDX-License-Identifier: Apache-2.0
// What can be wrong with a flattened device tree.

import { defineRules } from "../diagnostics/rules.js";
import { MAX_TREE_BYTES, MAX_TREE_DEPTH } from "./device-tree.js";

export const deviceTreeRules = defineRules({
  DOMB3101: {
    slug: "device-tree-header",
    title: "a device tree's header is wrong",
    severity: "error",
    explanation:
      "A device tree is a flattened one of version 17, as dtc writes it; its header says where " +
      "its parts lie in the file. Each of them lies in the file, and none in another. At most " +
      `${MAX_TREE_BYTES} bytes are read, as many as Xen maps.`,
    example: "board: ./board.dts",
  },
  DOMB3102: {
    slug: "device-tree-structure",
    title: "a device tree's structure is damaged",
    severity: "error",
    explanation:
      "The nodes of a device tree follow each other as tokens: a node's begin, its properties, " +
      `its children, its end. They are at most ${MAX_TREE_DEPTH} deep.`,
    example: "a device tree cut in half, with a header that says so",
  },
  DOMB3103: {
    slug: "device-tree-name",
    title: "a name in a device tree is not possible",
    severity: "error",
    explanation:
      "Names of nodes and properties have the characters that the Devicetree Specification gives " +
      "them, and no node has two properties or two children of one name.",
    example: "two properties `reg` of one node",
  },
});

export type DeviceTreeCode = Parameters<typeof deviceTreeRules.diagnose>[0];
