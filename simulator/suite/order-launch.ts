// SPDX-License-Identifier: Apache-2.0
// A launch in order: domains that wait for each other, each failing in a way of its own, and one that
// takes their place. What cases of order, links and CPUs are variations of.

import { encodeImage, encodeRecovery } from "../../compiler/image/encode-image.js";
import { PAGE_SIZE } from "../../contract/limits.js";
import { compiled } from "../../lab/lab-bench.js";
import type { Architecture } from "../../xen-model/machines.js";
import { type LaunchParts, onArm64 } from "./arm64-launch.js";
import { type BaseLaunch, hello, pageByPage } from "./base-launch.js";

export interface OrderedLaunch extends BaseLaunch {
  readonly recovery: Uint8Array;
}

/** Pages between plan and materials, so that a case can have a larger plan. */
const ROOM_PAGES = 8;

function withRoom({ plan, materials }: LaunchParts): LaunchParts {
  const moved = plan.materials.map((material) => ({
    ...material,
    offset: material.offset + ROOM_PAGES * PAGE_SIZE,
  }));
  return { plan: { ...plan, materials: moved }, materials };
}

/**
 * storage signals, job then finishes, web starts after both of them; free waits for nobody. Their
 * plan's step of a domain's start has the number 8 and more.
 */
export async function orderedLaunch(architecture: Architecture): Promise<OrderedLaunch> {
  const { recovery, ...main } = await compiled({
    domb: 1,
    domains: {
      storage: {
        ...{ ...hello, roles: ["control"], onFailure: "recover" },
        ready: { when: "signalled", within: "100 ms" },
      },
      job: {
        ...{ ...hello, after: ["storage"], onFailure: "continue" },
        ready: { when: "finished", within: "200 ms" },
      },
      web: { ...hello, after: ["storage", "job"], onFailure: "continue" },
      free: hello,
      rescue: { ...hello, roles: ["recovery", "control"] },
    },
  });
  if (recovery === undefined) throw new Error("bug: the launch has no recovery plan");
  const [launch, other] = [withRoom(pageByPage(main)), pageByPage(recovery)];
  if (architecture === "arm64") {
    const onArm = onArm64({ ...launch, recovery: other });
    if (onArm.recovery === undefined) throw new Error("bug: its recovery plan is lost");
    return { ...onArm, recovery: onArm.recovery };
  }
  const before = encodeRecovery(other.plan, other.materials);
  const image = encodeImage(launch.plan, launch.materials, { recovery: before });
  return { ...launch, architecture, image, recovery: before };
}

/** Indexes of its domains. */
export const ordered = { storage: 0, job: 1, web: 2, free: 3 } as const;
