// SPDX-License-Identifier: Apache-2.0
// Reads what a guest finds when it starts back from an image, for people and for updates.

import type { Architecture } from "../../xen-model/machines.js";
import * as arm64 from "./arm64-start.js";
import type { ReadContext, ReadStartOfDay } from "./guest-start.js";
import * as x86 from "./x86-start.js";

const readers = { x86_64: x86, arm64 } as const;

/** The register in which vCPU 0 finds the start of day's address. */
export const startRegisters: Readonly<Record<Architecture, string>> = {
  x86_64: "ebx",
  arm64: "x0",
};

/** Reads the start of day that a guest has at `address`. */
export function readStartOfDay(
  architecture: Architecture,
  bytes: Uint8Array,
  address: number,
): ReadStartOfDay {
  return readers[architecture].readStartOfDay(bytes, address);
}

/** Reads a vCPU's context, if it is a whole one. */
export function readContext(
  architecture: Architecture,
  bytes: Uint8Array,
): ReadContext | undefined {
  return readers[architecture].readContext(bytes);
}
