// SPDX-License-Identifier: Apache-2.0
// What text and page say alike of a launch.

import type { GuestRegion } from "../compiler/explain/guest-memory.js";
import type { DomainFacts } from "./model/plan-facts.js";
import type { Report, Run } from "./model/report.js";
import type { Activity } from "./model/timeline.js";
import type { DomainState } from "./receipt.js";
import { formatTime } from "./units.js";

/** How the launch ended, in one sentence without its point. */
export function outcomeSentence(report: Report): string {
  const last = lastRun(report);
  const { domains, durationNs } = last.timeline;
  const running = domains.filter(({ state }) => state === "started").length;
  const finished = domains.filter(({ state }) => state === "finished").length;
  const lost = domains.length - running - finished;
  const time = formatTime(durationNs);
  const where = report.source === "simulator" ? " in the simulator" : "";
  if (report.outcome === "failed") return `failed after ${time}${where}: ${last.status}`;
  const up = [
    `${running} of ${domains.length} ${domains.length === 1 ? "domain runs" : "domains run"}`,
    ...(finished === 0 ? [] : [`${finished} finished`]),
    ...(lost === 0 ? [] : [`${lost} failed or skipped`]),
  ].join(", ");
  const plan =
    report.outcome === "recovered"
      ? `recovered: the main plan ended with ${report.runs[0].status}, the recovery plan`
      : "success:";
  const took = report.outcome === "recovered" ? " took" : "";
  return `${plan}${took} ${time}${where}, ${up}`;
}

/** The run of the plan that ran last. */
export function lastRun({ runs }: Report): Run {
  return runs.at(-1) ?? runs[0];
}

/** What the boot domain does, of which a domain's name may follow. */
export const activityWords: Readonly<Record<Activity["kind"], string>> = {
  accept: "accepts the plan",
  make: "makes",
  tell: "tells",
  start: "starts",
  destroy: "destroys",
  exit: "exits",
  undo: "undoes what it did",
};

/** What became of a domain, with a sign that needs no colour. */
export const stateWords: Readonly<Record<DomainState, string>> = {
  absent: "– never made",
  created: "– never started",
  started: "✓ runs",
  destroyed: "✕ destroyed",
  failed: "✕ failed",
  skipped: "⊘ skipped",
  finished: "✓ finished",
};

/** What lies in a region of a guest's memory. */
export const regionWords: Readonly<Record<GuestRegion["what"], string>> = {
  kernel: "kernel",
  ramdisk: "ramdisk",
  startOfDay: "start of day",
  vcpuContext: "vCPU context",
  zeros: "zeros",
  free: "free",
  reserved: "reserved",
};

/** When a domain is ready, and what happens if it is not. */
export function readinessWords(facts: DomainFacts | undefined): string {
  if (facts === undefined || facts.readiness === "started") return "ready when started";
  const within = formatTime(facts.readyWithin * 1e6);
  const otherwise = { abort: "", continue: ", or goes on", recover: ", or recovers" };
  return `ready when ${facts.readiness}, in ${within}${otherwise[facts.onFailure]}`;
}

/** A text of at most so many characters. */
export function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}
