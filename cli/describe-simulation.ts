// SPDX-License-Identifier: Apache-2.0
// A simulated launch for people: what became of each domain and when, what failed and why.

import type { Plan, PlanDomain } from "../compiler/plan/plan.js";
import { LaunchStatus } from "../contract/receipt.js";
import type { Simulation } from "../simulator/simulate.js";
import { errnoName } from "../xen-model/errno.js";
import {
  type DomainReceipt,
  launchStatusName,
  type Receipt,
  type ReceiptPart,
} from "../xen-model/receipt.js";
import { shutdownName } from "../xen-model/shutdown.js";
import { plainTable } from "./plain-table.js";

/** The plans of the launch, if they could be read. */
export interface SimulatedPlans {
  readonly main: Plan | undefined;
  readonly recovery: Plan | undefined;
}

/** The whole text. */
export function simulationText(
  { receipt, exit, hypercalls }: Simulation,
  { main: mainPlan, recovery }: SimulatedPlans,
): string {
  const { main, ...last } = receipt;
  const head =
    main === undefined
      ? []
      : [
          ...(main.domains.length === 0 ? [] : [...partLines(main, mainPlan), ""]),
          `the recovery plan runs, after the main one: ${statusText(main)}`,
          "",
        ];
  return [
    ...head,
    ...partLines(last, main === undefined ? mainPlan : recovery),
    "",
    `time    ${timeText(receipt)} of the model's, ${hypercalls} hypercalls`,
    `plan    ${last.planDigest}`,
    `signed  ${verificationText(last)}`,
    `status  ${statusText(last)}`,
    ...(exit === undefined ? ["exit    refused: Xen ends the boot domain as crashed"] : []),
    "",
  ].join("\n");
}

function partLines(part: ReceiptPart, plan: Plan | undefined): readonly string[] {
  const at = (ticks: number): string => (ticks === 0 ? "never" : milliseconds(part, ticks));
  const rows = part.domains.map(({ name, domid, state, ...domain }) => [
    ...[name, String(domid), state, at(domain.createdAt), at(domain.startedAt)],
    at(domain.readyAt),
    ...(domain.endedAt === 0
      ? ["never"]
      : [`${at(domain.endedAt)}, ${shutdownName(domain.endReason)}`]),
  ]);
  const head = ["domain", "domid", "state", "created at", "started at", "ready at", "ended at"];
  const failures = part.domains.flatMap(
    (domain, index) => failureLine(domain, index, part, plan) ?? [],
  );
  return [plainTable(head, rows), ...(failures.length === 0 ? [] : ["", ...failures])];
}

/** What became of a domain that is not as it should be; undefined: all is well. */
function failureLine(
  { name, state, status, operation, error, endReason }: DomainReceipt,
  index: number,
  part: ReceiptPart,
  plan: Plan | undefined,
): string | undefined {
  const planned = plan?.domains[index];
  if (state === "skipped") return `skipped  ${name}: ${lostText(index, part, plan)}`;
  if (status === 0) return undefined;
  const after = planned === undefined ? "" : `; ${consequences[planned.onFailure]}`;
  const why = {
    [LaunchStatus.late]: `not ready within ${planned?.readyWithin} ms`,
    [LaunchStatus.ended]: `it ended before it was ready: ${shutdownName(endReason)}`,
  }[status];
  const what = why ?? `${launchStatusName(status)} in operation ${operation}${errorText(error)}`;
  return `failed   ${name}: ${what}${after}`;
}

const consequences: Readonly<Record<PlanDomain["onFailure"], string>> = {
  abort: "the launch is given up",
  continue: "the launch goes on without it",
  recover: "the recovery plan is to run",
};

/** Which of the domains that a domain waits for are lost. */
function lostText(index: number, part: ReceiptPart, plan: Plan | undefined): string {
  const guards = (plan?.steps ?? [])
    .filter(({ domain }) => domain === index)
    .flatMap(({ firstGuard, guardCount }) =>
      (plan?.guards ?? []).slice(firstGuard, firstGuard + guardCount),
    );
  const lost = guards.flatMap((guard) => {
    const { name = "", state = "" } = part.domains[guard] ?? {};
    if (state === "failed") return [`${name}, which has failed`];
    return state === "skipped" ? [`${name}, which is skipped too`] : [];
  });
  return `it waits for ${lost.join(", and for ")}`;
}

function timeText({ main, ...last }: Receipt): string {
  const waited = last.waitTicks + (main?.waitTicks ?? 0);
  const ofIt = waited === 0 ? "" : `, ${milliseconds(last, waited)} of it waiting,`;
  return `${milliseconds(last, last.endedAt - (main ?? last).beganAt)}${ofIt}`;
}

function milliseconds({ clockKilohertz }: ReceiptPart, ticks: number): string {
  return `${(ticks / clockKilohertz).toFixed(3)} ms`;
}

function errorText(error: number): string {
  return error === 0 ? "" : `, error ${errnoName(error)}`;
}

function verificationText({ verifiedBy, launchVersion }: ReceiptPart): string {
  return verifiedBy === 0
    ? "NOT VERIFIED: by no key that is trusted"
    : `by trusted key ${verifiedBy}, launch version ${launchVersion}`;
}

function statusText({ status, step, operation, domain, error }: ReceiptPart): string {
  const name = launchStatusName(status);
  return status === 0
    ? name
    : `${name}: step ${step}, operation ${operation}, domain ${domain}, error ${error === 0 ? "none" : errnoName(error)}`;
}
