// SPDX-License-Identifier: Apache-2.0
// The platform of an architecture.

import { XEN_DOMCTL_CONFIG_GIC_V2 } from "../../contract/xen-abi-arm64.js";
import type { Architecture } from "../../xen-model/machines.js";
import { arm64Platform } from "./arm64/platform.js";
import type { GicVersion, Platform } from "./platform.js";
import { x86Platform } from "./x86_64/platform.js";

/** What boards of today have, for launches that name none. */
export const DEFAULT_GIC: GicVersion = 3;

/** What guests of an architecture are laid out for; the GIC's version counts on arm64. */
export function platformOf(architecture: Architecture, gic: GicVersion): Platform {
  return architecture === "x86_64" ? x86Platform : arm64Platform(gic);
}

/** The platform of a domain whose record has these `devices`. */
export function platformOfDevices(architecture: Architecture, devices: number): Platform {
  return platformOf(architecture, devices === XEN_DOMCTL_CONFIG_GIC_V2 ? 2 : 3);
}
