// SPDX-License-Identifier: Apache-2.0
// The timer's frequency where a device tree has to tell it: on boards whose firmware leaves the
// register that tells it at zero (Linux, Documentation/devicetree/bindings/timer/arm,arch_timer.yaml).

import { type DeviceTreeNode, nodesCompatibleWith } from "../../device-tree/device-tree.js";
import { readCells } from "../../device-tree/values.js";

/** Ticks per second that the tree of a board or of a guest tells; undefined: the register does. */
export function timerHertz(root: DeviceTreeNode): number | undefined {
  const [timer] = nodesCompatibleWith(root, "arm,armv8-timer");
  const frequency = timer?.node.properties.get("clock-frequency");
  return frequency && readCells(frequency)?.[0];
}
