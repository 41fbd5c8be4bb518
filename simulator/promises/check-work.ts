// SPDX-License-Identifier: Apache-2.0
// Promises on the work of a launch: only what may run has run, and no longer than its plans allow.

import { workOfLaunch } from "../../compiler/plan/work.js";
import { ImageHeader } from "../../contract/image.js";
import { LaunchStatus } from "../../contract/receipt.js";
import { SIGNATURE_BYTES } from "../../contract/trust.js";
import { XEN_EACCES } from "../../contract/xen-abi.js";
import { timeOf } from "../../xen-model/costs.js";
import { type ExaminedPlans, MOST_PLAN_BYTES } from "../examine-plans.js";
import type { Simulation } from "../simulate.js";
import type { Say } from "./check-receipt.js";

/** Statuses of an image or plan that is refused before anything runs. */
const refused: ReadonlySet<number> = new Set([
  LaunchStatus.imageTruncated,
  LaunchStatus.imageMagic,
  LaunchStatus.imageVersion,
  LaunchStatus.imageTarget,
  LaunchStatus.imageMalformed,
  LaunchStatus.planDigest,
  LaunchStatus.planMalformed,
  LaunchStatus.signature,
  LaunchStatus.launchVersion,
]);

/** Hypercalls of an image that is refused: that it is not verified, two lines, the exit. */
const REFUSAL_HYPERCALLS = 4;

/** What is read of a plan that is refused, at most. */
const MOST_REFUSED_BYTES = ImageHeader.size + MOST_PLAN_BYTES + SIGNATURE_BYTES;

/** How long that takes at most, without the lines, in nanoseconds. */
export const MOST_REFUSED_NS = timeOf({
  ...{ hypercalls: REFUSAL_HYPERCALLS, imageBytes: MOST_REFUSED_BYTES },
  ...{ populatedPages: 0, copiedPages: 0, clearedPages: 0 },
});

/** Only what may run has run, and no longer than its plans allow. */
export function checkWork(
  simulation: Simulation,
  { main, recovery }: ExaminedPlans,
  say: Say,
  isForAnother: boolean,
): void {
  const { receipt, hypercalls, imageBytesRead } = simulation;
  const first = main.plan ?? recovery.plan;
  const words = `status ${receipt.status} for an image that`;
  const told = receipt.status === LaunchStatus.imageTarget && receipt.error === XEN_EACCES;
  const refusedByXen = isForAnother && told;
  say(
    (refused.has(receipt.status) && !refusedByXen) === (first === undefined),
    `${words} ${first === undefined ? "must not" : "may"} run`,
  );
  if (first === undefined) {
    say(hypercalls <= REFUSAL_HYPERCALLS, `${hypercalls} hypercalls for an image not accepted`);
    return;
  }
  const isRefused = main.plan === undefined;
  say(receipt.main !== undefined || !isRefused, `${words} has another plan to run`);
  const ran = [main.plan, receipt.main === undefined ? undefined : recovery.plan];
  const works = ran.flatMap((plan) => (plan === undefined ? [] : [workOfLaunch(plan)]));
  const most = (of: "hypercalls" | "imageBytes"): number =>
    works.reduce((sum, work) => sum + work[of], 0);
  // A plan is read that is refused, also if it is to be in place of one that failed.
  const isLost = receipt.status !== LaunchStatus.success && receipt.main === undefined;
  const tries = isRefused || isLost ? 1 : 0;
  const mostHypercalls = most("hypercalls") + (isRefused ? REFUSAL_HYPERCALLS - 1 : 0);
  const mostBytes = most("imageBytes") + tries * MOST_REFUSED_BYTES;
  say(hypercalls <= mostHypercalls, `${hypercalls} hypercalls, of ${mostHypercalls} at most`);
  say(
    imageBytesRead <= mostBytes,
    `${imageBytesRead} bytes of the image read, of ${mostBytes} at most`,
  );
}
