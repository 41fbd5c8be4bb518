// SPDX-License-Identifier: Apache-2.0
// The suite: launches, good and bad, that every way of running the boot domain runs alike: its wasm
// on the model, its C as a program of the host, and the boot domain itself on real Xen.

import type { Fault } from "./faults.js";

export interface SuiteCase {
  /** A name of its own among the cases. */
  readonly name: string;
  readonly image: Uint8Array;
  /** Pages of the host that are free when the launch begins. */
  readonly freePages: number;
  readonly faults: readonly Fault[];
}

/** Every case of the suite. Needs the built guests. */
export async function suite(): Promise<readonly SuiteCase[]> {
  return [];
}
