// SPDX-License-Identifier: Apache-2.0
// Whether a receipt says what happened, field by field: each time lies between the hypercalls that it
// was taken between, what is spent is the sum of the hypercalls, all else is equal.

import type { DomainReceipt, Receipt, ReceiptPart } from "../../xen-model/receipt.js";
import { clockKilohertz } from "../simulate.js";
import type { FollowedDomain, FollowedPart, Moment } from "./followed.js";

/** Takes down a promise, in words, if it does not hold. */
export type Say = (holds: boolean, words: string) => void;

/** Holds a receipt, whose clock ticks in nanoseconds, against what was followed. */
export function checkReceipt(
  receipt: Receipt,
  followed: readonly FollowedPart[],
  verifiedBy: (signedBy: number) => number,
  say: Say,
): void {
  const { main, ...last } = receipt;
  const parts: readonly ReceiptPart[] = main === undefined ? [last] : [main, last];
  say(
    parts.length === followed.length,
    `the receipt has ${parts.length} parts, wanted ${followed.length}`,
  );
  for (const [index, part] of parts.entries()) {
    const happened = followed[index];
    if (happened === undefined) continue;
    checkPart(part, happened, verifiedBy, (holds, words) =>
      say(holds, `the receipt's part ${index + 1}: ${words}`),
    );
  }
}

function checkPart(
  told: ReceiptPart,
  happened: FollowedPart,
  verifiedBy: (signedBy: number) => number,
  say: Say,
): void {
  const { digestNs, populateNs, copyNs, clearNs, waitNs, planDigest, launchVersion } = happened;
  const wanted: Partial<ReceiptPart> = {
    ...{ status: happened.status, error: happened.error },
    ...{ digestTicks: digestNs, populateTicks: populateNs, copyTicks: copyNs },
    ...{ clearTicks: clearNs, waitTicks: waitNs, planDigest, launchVersion },
    clockKilohertz,
    verifiedBy: verifiedBy(happened.signedBy),
    // Of a plan that is refused, they say where it is wrong.
    ...(happened.plan === undefined ? {} : placeOf(happened)),
  };
  checkEqual(told, wanted, "", say);
  checkMoment(told.beganAt, happened.beganAt, "beganAt", say);
  checkMoment(told.endedAt, happened.endedAt, "endedAt", say);
  say(told.domains.length === happened.domains.length, `${told.domains.length} domains`);
  say(told.steps.length === happened.steps.length, `${told.steps.length} steps`);
  for (const [index, domain] of told.domains.entries()) {
    const planned = happened.plan?.domains[index];
    const became = happened.domains[index];
    if (planned === undefined || became === undefined) continue;
    const { name, domid } = planned;
    checkDomain(domain, became, { name, domid }, (holds, words) => say(holds, `${name}: ${words}`));
  }
  for (const [index, step] of told.steps.entries()) {
    const ran = happened.steps[index];
    checkMoment(step.beganAt, ran?.beganAt, `beganAt of step ${index + 1}`, say);
    checkMoment(step.endedAt, ran?.endedAt, `endedAt of step ${index + 1}`, say);
  }
}

function placeOf({ step, operation, domain }: FollowedPart): Partial<ReceiptPart> {
  return { step, operation, domain };
}

function checkDomain(
  told: DomainReceipt,
  became: FollowedDomain,
  planned: Pick<DomainReceipt, "name" | "domid">,
  say: Say,
): void {
  const { state, endReason, status, operation, error } = became;
  checkEqual(told, { ...planned, state, endReason, status, operation, error }, "", say);
  for (const time of [
    ...(["createdAt", "startedAt", "signalledAt"] as const),
    ...(["readyAt", "endedAt", "destroyedAt"] as const),
  ]) {
    checkMoment(told[time], became[time], time, say);
  }
}

function checkEqual<Value extends object>(
  told: Value,
  wanted: Partial<Value>,
  of: string,
  say: Say,
): void {
  for (const key of Object.keys(wanted) as (keyof Value & string)[]) {
    say(told[key] === wanted[key], `${key}${of} is ${told[key]}, wanted ${wanted[key]}`);
  }
}

function checkMoment(told: number, moment: Moment | undefined, what: string, say: Say): void {
  const { fromNs, toNs } = moment ?? { fromNs: 0, toNs: 0 };
  say(told >= fromNs && told <= toNs, `${what} is ${told}, wanted ${fromNs} to ${toNs}`);
}
