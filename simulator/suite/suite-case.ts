// SPDX-License-Identifier: Apache-2.0
// One launch of the suite.

import type { Behaviour } from "../../xen-model/domain-life.js";
import type { Fault } from "../faults.js";

export interface SuiteCase {
  /** A name of its own among the cases. */
  readonly name: string;
  readonly image: Uint8Array;
  /** The host's architecture, as in ImageHeader.machine; default: MACHINE_X86_64. */
  readonly machine?: number;
  /** Pages of the host that are free when the launch begins. */
  readonly freePages: number;
  readonly faults: readonly Fault[];
  /** The FLASK policy that Xen enforces. */
  readonly policy?: Uint8Array;
  /** Whom the boot domain trusts, a TrustRecord; default: nobody. */
  readonly trust?: Uint8Array;
  /** Physical CPUs of the host; default: 8. */
  readonly cpus?: number;
  /** What each domain does once it runs, on the model alone; default: it is silent. */
  readonly behaviourOf?: (domid: number) => Behaviour | undefined;
}

/** What every case has at hand that does not say otherwise: more than its domains need. */
export const PLENTY_PAGES = 1_000_000;

/** A case without faults on a host with memory enough. */
export function plainCase(name: string, image: Uint8Array, policy?: Uint8Array): SuiteCase {
  const plain = { name, image, freePages: PLENTY_PAGES, faults: [] };
  return policy === undefined ? plain : { ...plain, policy };
}
