// SPDX-License-Identifier: Apache-2.0
// What the domains of a plan do once they run, where nothing else is said: what their readiness asks
// of them, a millisecond after their start.

import type { Plan } from "../compiler/plan/plan.js";
import { SHUTDOWN_poweroff } from "../contract/xen-abi.js";
import type { Behaviour } from "../xen-model/domain-life.js";

/** Nanoseconds from a domain's start to its signal, and from there to its end. */
const READY_NS = 1_000_000;

/** By domid: a domain signals, and ends if that is what it is for. */
export function behavioursOf({ domains, steps, operations }: Plan): ReadonlyMap<number, Behaviour> {
  return new Map(
    domains.flatMap(({ domid, readiness }, domain) => {
      if (readiness === "started") return [];
      const signals = steps
        .filter((step) => step.domain === domain)
        .flatMap(({ firstOperation, operationCount }) =>
          operations.slice(firstOperation, firstOperation + operationCount),
        )
        .flatMap((one) => (one.kind === "openSignal" ? [{ atNs: READY_NS, port: one.port }] : []));
      const end = { atNs: 2 * READY_NS, reason: SHUTDOWN_poweroff };
      return [[domid, { signals, end: readiness === "finished" ? end : undefined }] as const];
    }),
  );
}
