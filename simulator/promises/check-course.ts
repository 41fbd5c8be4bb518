// SPDX-License-Identifier: Apache-2.0
// Promises on the course of a launch: each hypercall came when it had to, in order and in time, and
// the receipt says what happened.

import { LaunchStatus } from "../../contract/receipt.js";
import { PUBLIC_KEY_BYTES, TRUSTED_KEYS, TrustRecord } from "../../contract/trust.js";
import type { Simulation } from "../simulate.js";
import { checkFinished, checkStarts, idleTime, livesOf } from "./check-order.js";
import { checkReceipt, type Say } from "./check-receipt.js";
import { mostTime } from "./check-time.js";
import { MOST_REFUSED_NS } from "./check-work.js";
import type { LaunchFollower } from "./follow-launch.js";

interface Course {
  readonly follower: LaunchFollower;
  readonly trust: Uint8Array | undefined;
  /** Written to the console. */
  readonly lines: number;
  /** Whether every domain is destroyed that the boot domain destroys. */
  readonly undone: boolean;
}

/** The time in nanoseconds that was slept away: 0 is promised. */
export function checkCourse(
  { receipt, lives, endNs }: Simulation,
  { follower, trust, lines, undone }: Course,
  say: Say,
): number {
  const { parts, astray, wrongSleeps } = follower;
  say(astray === undefined, astray ?? "");
  for (const wrong of wrongSleeps) say(false, wrong);
  if (astray === undefined) {
    say(follower.isOver, "the launch ended before its end");
    const slots = keySlots(trust);
    checkReceipt(receipt, parts, (signedBy) => slots[signedBy - 1] ?? 0, say);
  }
  const plans = parts.flatMap(({ plan }) => plan ?? []);
  // A plan that was refused was read, and perhaps another in its place.
  const mostNs = mostTime(plans, lines) + (2 - plans.length) * MOST_REFUSED_NS;
  say(endNs <= mostNs, `the launch took ${endNs} ns, of ${mostNs} at most`);
  let idleNs = 0;
  for (const part of parts) {
    if (part.plan === undefined) continue;
    const [fromNs, toNs] = [part.beganAt?.fromNs ?? 0, part.endedAt?.toNs ?? endNs];
    const ofPart = livesOf(part.plan, lives, fromNs, toNs);
    checkStarts(part.plan, ofPart, say);
    const isWhole = undone && part.status === LaunchStatus.success;
    if (isWhole) checkFinished(part.plan, ofPart, toNs, say);
    idleNs += idleTime(part, ofPart);
  }
  say(idleNs === 0, `${idleNs} ns were slept away although a step could run`);
  return idleNs;
}

/** Numbers of the keys that a boot domain's record has. */
function keySlots(trust: Uint8Array | undefined): readonly number[] {
  return Array.from({ length: TRUSTED_KEYS }, (_, index) => index + 1).filter((number) => {
    const start = TrustRecord.keys + (number - 1) * PUBLIC_KEY_BYTES;
    return trust?.subarray(start, start + PUBLIC_KEY_BYTES).some((byte) => byte !== 0);
  });
}
