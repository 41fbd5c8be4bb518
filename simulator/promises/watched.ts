// SPDX-License-Identifier: Apache-2.0
// Watches which bytes domains get while a launch runs: none starts with what nobody vouches for.

import { XEN_EACCES } from "../../contract/xen-abi.js";
import type { Hypercall } from "../../xen-model/hypercalls.js";
import type { IntactMaterials } from "../examine-plans.js";
import type { Knowledge } from "../knowledge.js";
import { imageFrame } from "../simulate.js";

/** What is known of a launch while it runs. */
export class Watched {
  /** Whether Xen has said that the launch is for another one. */
  isForAnother = false;
  /** Domains that hold bytes nobody vouches for. */
  readonly #tainted = new Set<number>();
  readonly #intact: () => readonly IntactMaterials[];
  /** Plans that have run, or begun to. */
  #drops = 0;

  constructor({ plans: { main, recovery }, intact }: Knowledge) {
    // The second one that runs is the recovery plan, and so is the first if the main one is refused.
    const ofMain = (): boolean => main.plan !== undefined && this.#drops < 2;
    this.#intact = () => [intact(ofMain() ? main : recovery)].filter((one) => one !== undefined);
  }

  /** Takes a hypercall in; whether it starts a domain with unverified bytes. */
  see({ name, domid, sourceFrame, wanted }: Hypercall, answer: number | undefined): boolean {
    if (name === "drop") this.#drops++;
    if (name === "drop" && answer === -XEN_EACCES) this.isForAnother = true;
    if (name === "createDomain" && answer === 0) this.#tainted.delete(domid);
    if (name === "copy" && sourceFrame !== undefined) {
      const first = sourceFrame - imageFrame;
      for (let page = first; page < first + wanted; page++) {
        if (!this.#intact().some(({ pages }) => pages.has(page))) this.#tainted.add(domid);
      }
    }
    return name === "start" && answer === 0 && this.#tainted.has(domid);
  }

  /** Whether a vCPU's context is one of the plan that runs. */
  hasContext(digest: string): boolean {
    return this.#intact().some(({ contexts }) => contexts.has(digest));
  }
}
