// SPDX-License-Identifier: Apache-2.0
// A launch of an intact image whose domains do what its plan wants of them: a domain signals, and
// ends if that is what it is for. Where that is said, one does otherwise, or a hypercall fails.

import type { DecodedImage } from "../compiler/image/decode-image.js";
import type { Plan } from "../compiler/plan/plan.js";
import { SHUTDOWN_poweroff } from "../contract/xen-abi.js";
import type { Behaviour } from "../xen-model/domain-life.js";
import type { Receipt } from "../xen-model/receipt.js";
import { type Fault, injectFaults } from "./faults.js";
import { type SimulationOptions, simulateLaunch } from "./simulate.js";

/** Nanoseconds from a domain's start to its signal, and from there to its end. */
const READY_NS = 1_000_000;

export interface Circumstances extends Pick<SimulationOptions, "wasm" | "policy" | "trust"> {
  readonly freePages: number;
  /** What domains of these names do otherwise. */
  readonly behaviours?: Readonly<Record<string, Behaviour>>;
  readonly faults?: readonly Fault[];
}

/** The receipt of such a launch. */
export function launchAsPlanned(
  bytes: Uint8Array,
  { plan, header }: DecodedImage,
  { behaviours = {}, faults = [], ...host }: Circumstances,
): Receipt {
  const planned = plannedBehaviours(plan);
  const { receipt } = simulateLaunch(bytes, {
    ...{ ...host, machine: header.machine, inject: injectFaults(faults) },
    behaviourOf: (domid) => {
      const name = plan.domains.find((domain) => domain.domid === domid)?.name ?? "";
      return Object.hasOwn(behaviours, name) ? behaviours[name] : planned.get(domid);
    },
  });
  return receipt;
}

/** By domid. */
function plannedBehaviours({ domains, steps, operations }: Plan): ReadonlyMap<number, Behaviour> {
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
      return [[domid, readiness === "finished" ? { signals, end } : { signals }] as const];
    }),
  );
}
