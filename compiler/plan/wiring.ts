// SPDX-License-Identifier: Apache-2.0
// A domain's links as operations of its plan, which know other domains by their index.

import { type GuestWiring, unwired } from "../guest/wiring.js";
import type { PlanDomain, PlanOperation } from "./plan.js";

/** What links take of a domain: its limits, and the operations that make them, peers by their index. */
export interface Wiring
  extends Pick<PlanDomain, "maxEventChannelPort" | "maxGrantFrames" | "maxMaptrackFrames"> {
  readonly operations: readonly PlanOperation[];
}

/** The operations that make a domain's links true, and its limits; `domids`: those of the plan. */
export function planWiring(
  { memory, channels, grants, ...limits }: GuestWiring,
  domids: readonly number[],
): Wiring {
  const { maxEventChannelPort, maxGrantFrames, maxMaptrackFrames } = limits;
  return {
    ...{ maxEventChannelPort, maxGrantFrames, maxMaptrackFrames },
    operations: [
      ...memory.map(
        ({ start, end }): PlanOperation => ({ kind: "clear", frame: start, count: end - start }),
      ),
      ...channels.map(
        ({ peer, port }): PlanOperation => ({
          kind: "openChannel",
          peer: domids.indexOf(peer),
          port,
        }),
      ),
      ...grants.map(
        ({ peer, access, ...grant }): PlanOperation => ({
          kind: "grant",
          peer: domids.indexOf(peer),
          readOnly: access === "read" ? 1 : 0,
          ...grant,
        }),
      ),
    ],
  };
}

/** Of a domain without links. */
export const noWiring = planWiring(unwired, []);
