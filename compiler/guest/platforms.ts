// SPDX-License-Identifier: Apache-2.0
// The platform of an architecture.

import { XEN_DOMCTL_CONFIG_GIC_V2 } from "../../contract/xen-abi-arm64.js";
import type { Architecture } from "../../xen-model/machines.js";
import { decodeDeviceTree } from "../device-tree/decode.js";
import { arm64Platform } from "./arm64/platform.js";
import { timerHertz } from "./arm64/timer.js";
import type { GuestBoard, Platform } from "./platform.js";
import { x86Platform } from "./x86_64/platform.js";

/** What boards of today have, for launches that name none. */
export const DEFAULT_BOARD: GuestBoard = { gic: 3, timerHertz: undefined };

/** What guests of an architecture are laid out for; the board counts on arm64. */
export function platformOf(architecture: Architecture, board: GuestBoard): Platform {
  return architecture === "x86_64" ? x86Platform : arm64Platform(board);
}

/** The platform of a guest with these `devices` in its record, and this start of day. */
export function platformOfGuest(
  architecture: Architecture,
  devices: number,
  startOfDay: Uint8Array,
): Platform {
  return platformOf(architecture, {
    gic: devices === XEN_DOMCTL_CONFIG_GIC_V2 ? 2 : 3,
    timerHertz: architecture === "arm64" ? timerHertzOf(startOfDay) : undefined,
  });
}

function timerHertzOf(deviceTree: Uint8Array): number | undefined {
  const tree = decodeDeviceTree(deviceTree, { name: "the device tree", place: {} });
  return tree.ok ? timerHertz(tree.value.root) : undefined;
}
