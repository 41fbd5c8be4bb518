// SPDX-License-Identifier: Apache-2.0
// A guest on arm64, for one kind of board.

import {
  GUEST_RAM0_BASE,
  GUEST_RAM0_SIZE,
  GUEST_VPL011_SPI,
  XEN_DOMCTL_CONFIG_GIC_V2,
  XEN_DOMCTL_CONFIG_GIC_V3,
} from "../../../contract/xen-abi-arm64.js";
import type { GuestBoard, Platform } from "../platform.js";
import { deviceTreePages, encodeGuestTree } from "./device-tree.js";
import { MOST_MEMORY_BYTES, memoryRanges } from "./memory-map.js";
import { encodeVcpuContext } from "./vcpu-context.js";

/** SPIs of a guest with output: those up to its UART's. */
const OUTPUT_INTERRUPTS = GUEST_VPL011_SPI - 32 + 1;

export function arm64Platform(board: GuestBoard): Platform {
  const { gic } = board;
  return {
    lowMemory: { start: GUEST_RAM0_BASE, end: GUEST_RAM0_BASE + GUEST_RAM0_SIZE },
    keptFree: [],
    mostMemoryBytes: MOST_MEMORY_BYTES,
    mostVcpus: { count: gic === 3 ? 128 : 8, why: `a GICv${gic} serves no more` },
    devices: gic === 3 ? XEN_DOMCTL_CONFIG_GIC_V3 : XEN_DOMCTL_CONFIG_GIC_V2,
    sharedInterrupts: (hasOutput) => (hasOutput ? OUTPUT_INTERRUPTS : 0),
    memoryRanges,
    startOfDayPages: (guest) => deviceTreePages(guest, board),
    encodeStartOfDay: (guest) => encodeGuestTree(guest, board),
    // It starts the others, which begin as PSCI says.
    encodeVcpuContexts: (entry, startOfDay) => [encodeVcpuContext(entry, startOfDay)],
  };
}
