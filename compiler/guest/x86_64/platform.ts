// SPDX-License-Identifier: Apache-2.0
// A PVH guest on x86-64.

import { MAX_MEMORY_PAGES, MAX_VCPUS, PAGE_SIZE } from "../../../contract/limits.js";
import { XEN_X86_EMU_LAPIC } from "../../../contract/xen-abi.js";
import type { Platform } from "../platform.js";
import { LOW_MEMORY_END, memoryRanges } from "./memory-map.js";
import { encodeStartOfDay, startOfDayPages } from "./start-of-day.js";
import { encodeVcpuContexts } from "./vcpu-context.js";

export const x86Platform: Platform = {
  lowMemory: { start: 0, end: LOW_MEMORY_END },
  // Page 0, and what a PC has video memory and BIOS in.
  keptFree: [
    { start: 0, end: 1 },
    { start: 0xa0, end: 0x100 },
  ],
  mostMemoryBytes: MAX_MEMORY_PAGES * PAGE_SIZE,
  mostVcpus: { count: MAX_VCPUS, why: "Xen gives no more" },
  devices: XEN_X86_EMU_LAPIC,
  sharedInterrupts: () => 0,
  memoryRanges,
  startOfDayPages,
  encodeStartOfDay,
  encodeVcpuContexts,
};
