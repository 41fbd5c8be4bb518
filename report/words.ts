// SPDX-License-Identifier: Apache-2.0
// What text and page say alike of a launch.

import type { GuestRegion } from "../compiler/explain/guest-memory.js";
import type { DomainStateName } from "../xen-model/receipt.js";
import type { DomainFacts } from "./model/plan-facts.js";
import type { Report, Run } from "./model/report.js";
import type { Activity, DomainLife } from "./model/timeline.js";
import { formatTime } from "./units.js";

/** How the launch ended, in one sentence without its point. */
export function outcomeSentence(report: Report): string {
  const last = lastRun(report);
  const { domains, durationNs } = last.timeline;
  const running = domains.filter(isRunning).length;
  const finished = domains.filter(({ state }) => state === "finished").length;
  const ended = domains.filter((one) => one.state === "started" && !isRunning(one)).length;
  const lost = domains.length - running - finished - ended;
  const time = formatTime(durationNs);
  const where = report.source === "simulator" ? " in the simulator" : "";
  if (report.outcome === "failed") {
    return `failed after ${time}${where}: ${last.failures[0]?.reason ?? last.status}`;
  }
  const up = [
    `${running} of ${domains.length} ${domains.length === 1 ? "domain runs" : "domains run"}`,
    ...(finished === 0 ? [] : [`${finished} finished`]),
    ...(ended === 0 ? [] : [`${ended} ended since`]),
    ...(lost === 0 ? [] : [`${lost} failed or skipped`]),
  ].join(", ");
  if (report.outcome === "success") return `success in ${time}${where}: ${up}`;
  const [main] = report.runs;
  const reason = main.failures[0]?.reason ?? main.status;
  return `recovered: ${reason}; the recovery plan took ${time}${where}, ${up}`;
}

/** Whether a domain runs when the launch has ended. */
export function isRunning({ state, endedNs }: DomainLife): boolean {
  return state === "started" && endedNs === null;
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

/** What the boot domain's time went into, by its own measure. */
export const spendingWords: Readonly<Record<keyof Run["spentNs"], string>> = {
  digest: "verifying",
  populate: "giving memory",
  copy: "copying",
  clear: "clearing",
  wait: "waiting",
  rest: "all else",
};

/** A domain's end in words, and a sign that needs no colour. */
export interface LifeWords {
  readonly sign: string;
  readonly words: string;
  readonly isBad: boolean;
}

const states: Readonly<Record<DomainStateName, LifeWords>> = {
  absent: { sign: "–", words: "never made", isBad: true },
  created: { sign: "–", words: "never started", isBad: true },
  started: { sign: "✓", words: "runs", isBad: false },
  destroyed: { sign: "✕", words: "undone", isBad: true },
  failed: { sign: "✕", words: "failed", isBad: true },
  skipped: { sign: "⊘", words: "skipped", isBad: true },
  finished: { sign: "✓", words: "finished", isBad: false },
};

const failures: Readonly<Record<string, string>> = {
  late: "failed: late",
  ended: "failed: ended too early",
};

/** What became of a domain. */
export function lifeWords({ state, failure, endedNs }: DomainLife): LifeWords {
  if (failure !== null) return { ...states.failed, words: failures[failure] ?? "failed" };
  if (state === "started" && endedNs !== null) return { ...states.started, words: "ended since" };
  return states[state];
}

/** The same in one text. */
export function lifeText(life: DomainLife): string {
  const { sign, words } = lifeWords(life);
  return `${sign} ${words}`;
}

/** What lies in a region of a guest's memory. */
export const regionWords: Readonly<Record<GuestRegion["what"], string>> = {
  kernel: "kernel",
  ramdisk: "ramdisk",
  startOfDay: "start of day",
  vcpuContext: "vCPU context",
  zeros: "zeros",
  linkMemory: "link memory",
  free: "free",
  reserved: "reserved",
};

/** When a domain is ready, and what happens if it is not. */
export function readinessWords(facts: DomainFacts | undefined): string {
  if (facts === undefined || facts.readiness === "started") return "ready when started";
  const within = formatTime(facts.readyWithin * 1e6);
  const otherwise = { abort: "", continue: ", or goes on", recover: ", or recovers" };
  return `ready when ${facts.readiness}, within ${within}${otherwise[facts.onFailure]}`;
}

/** A text of at most so many characters. */
export function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}
