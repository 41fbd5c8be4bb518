// SPDX-License-Identifier: Apache-2.0
// What a guest finds when it starts.

import type { MemoryRange } from "../guest/memory-ranges.js";
import type { ReadAcpi } from "./acpi.js";

export interface ReadStartOfDay {
  readonly cmdline: string | undefined;
  /** On arm64 what is reserved lies within the memory; on x86-64 it is a range of its own. */
  readonly memoryMap: readonly MemoryRange[];
  /** Guest physical address of the ramdisk, if there is one. */
  readonly ramdiskAddress: number | undefined;
  /** Its ACPI tables; a guest on arm64 has none. */
  readonly acpi?: ReadAcpi;
}

/** Where a vCPU starts, and the address of the start of day, which it finds in a register. */
export interface ReadContext {
  readonly entry: number;
  readonly startInfo: number;
}
