// SPDX-License-Identifier: Apache-2.0
// FLASK with a policy in force, as far as a launch meets it: labels get SIDs. That the policy lets
// the boot domain create such domains is taken for granted.

import { type FlaskPolicy, labelFault, readFlaskPolicy } from "./flask-policy.js";

/** First SID that is not one of the initial ones (xen/xsm/flask/policy/initial_sids). */
const FIRST_SID = 15;

export class Flask {
  readonly #policy: FlaskPolicy;
  readonly #labels: string[] = [];

  /** Throws when the bytes are no policy: Xen would not start. */
  constructor(bytes: Uint8Array) {
    const policy = readFlaskPolicy(bytes);
    if (typeof policy === "string") throw new Error(`this is no FLASK policy: ${policy}`);
    this.#policy = policy;
  }

  /** security_context_to_sid(), xen/xsm/flask/ss/services.c; undefined: there is no such label. */
  sidOf(label: string): number | undefined {
    if (labelFault(this.#policy, label) !== undefined) return undefined;
    if (!this.#labels.includes(label)) this.#labels.push(label);
    return FIRST_SID + this.#labels.indexOf(label);
  }

  /** Whether a label has this SID. */
  has(sid: number): boolean {
    return sid >= FIRST_SID && sid < FIRST_SID + this.#labels.length;
  }
}
