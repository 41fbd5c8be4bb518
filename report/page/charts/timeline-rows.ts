// SPDX-License-Identifier: Apache-2.0
// What a timeline's chart shows in which row: the boot domain's is 0, a domain's its place in the
// chart, from 1.

import { criticalOf } from "../../model/path-in-short.js";
import type { Run } from "../../model/report.js";
import type { Activity, DomainLife, Span } from "../../model/timeline.js";
import { formatTime } from "../../units.js";
import { activityWords, lifeText } from "../../words.js";

/** A bar with what it tells. */
export interface Bar extends Span {
  readonly row: number;
  readonly text: string;
}

export interface WorkBar extends Bar {
  readonly colour: string;
  /** Whether it is on the critical path. */
  readonly critical: boolean;
}

export type Moment = Look & {
  readonly row: number;
  readonly at: number;
  readonly text: string;
};

export interface TimelineRows {
  readonly names: readonly { readonly row: number; readonly name: string; readonly note: string }[];
  readonly lives: readonly (Span & { readonly row: number })[];
  readonly readiness: readonly Bar[];
  readonly waits: readonly Bar[];
  readonly work: readonly WorkBar[];
  readonly moments: readonly Moment[];
  /** The critical path, from place to place. */
  readonly path: readonly { readonly at: number; readonly row: number }[];
}

const colours: Readonly<Record<Activity["kind"], string>> = {
  ...{ accept: "var(--other)", make: "var(--make)", tell: "var(--tell)", start: "var(--start)" },
  ...{ destroy: "var(--bad)", undo: "var(--bad)", exit: "var(--other)" },
};

/** How a moment is drawn: filled, or the cross of what is gone in lines. */
const looks = {
  ready: { shape: "diamond", fill: "var(--good)", stroke: "var(--surface)", strokeWidth: 1 },
  ended: { shape: "square", fill: "var(--ink)", stroke: "var(--surface)", strokeWidth: 1 },
  destroyed: {
    shape: "M-0.8,-0.8L0.8,0.8M-0.8,0.8L0.8,-0.8",
    ...{ fill: "none", stroke: "var(--bad)", strokeWidth: 2 },
  },
} as const;

type Look = (typeof looks)[keyof typeof looks];

/** The rows of `count` domains from `first` on. */
export function timelineRows(run: Run, first: number, count: number): TimelineRows {
  const { activities, waits, domains, durationNs } = run.timeline;
  const critical = criticalOf(run);
  const shown = domains.slice(first, first + count);
  const nameOf = (domain: number): string => domains[domain]?.name ?? "";
  /** A row that is in another chart lies below this one. */
  const rowOf = (domain: number): number =>
    domain >= first && domain < first + count ? domain - first + 1 : count + 1;
  const onPath = (is: boolean): string => (is ? " · on the critical path" : "");

  const work = activities.flatMap((activity, index): WorkBar[] => {
    const { kind, step, domain, failed } = activity;
    const isCritical = critical.activities.has(index);
    const of = domain === undefined ? "" : ` ${nameOf(domain)}`;
    const text =
      `boot domain ${activityWords[kind]}${of} · ${spanText(activity)}` +
      `${step === 0 ? "" : ` · step ${step}`}${failed ? " · failed" : ""}${onPath(isCritical)}`;
    const bar = { ...spanOf(activity), text, colour: failed ? "var(--bad)" : colours[kind] };
    const row = domain === undefined ? 0 : rowOf(domain);
    return [
      { ...bar, row: 0, critical: false },
      ...(row === 0 || row > count ? [] : [{ ...bar, row, critical: isCritical }]),
    ];
  });
  return {
    names: [
      { row: 0, name: "boot domain", note: "" },
      ...shown.map((life, index) => ({ row: index + 1, name: life.name, note: noteOf(life) })),
    ],
    lives: shown.flatMap(({ startedNs, endedNs, destroyedNs }, index) =>
      startedNs === null
        ? []
        : [{ row: index + 1, beganNs: startedNs, endedNs: endedNs ?? destroyedNs ?? durationNs }],
    ),
    readiness: shown.flatMap(({ name, readyNs, readiness }, index) => {
      if (readiness === null) return [];
      const how = readyNs === null ? "is not ready" : "becomes ready";
      const path = onPath(critical.readiness.has(first + index));
      return [
        { ...readiness, row: index + 1, text: `${name} ${how} · ${spanText(readiness)}${path}` },
      ];
    }),
    waits: waits.map((wait) => {
      const names = wait.awaited.map(nameOf).join(", ");
      return {
        ...spanOf(wait),
        row: 0,
        text: `boot domain waits for ${names} · ${spanText(wait)}`,
      };
    }),
    work,
    moments: shown.flatMap((life, index) => momentsOf(life, index + 1)),
    path: run.criticalPath.links.flatMap((link) => {
      const row = link.kind === "readiness" ? rowOf(link.domain) : 0;
      const [began, ended] = [link.beganNs, link.endedNs].map((at) => ({ at, row }));
      const back = row === 0 ? [] : [{ at: link.endedNs, row: 0 }];
      return [began, ended, ...back].filter((place) => place !== undefined);
    }),
  };
}

function momentsOf({ name, readiness, readyNs, endedNs, destroyedNs }: DomainLife, row: number) {
  const moment = (at: number | null, look: Look, what: string): Moment[] =>
    at === null ? [] : [{ row, at, ...look, text: `${name} ${what} · ${formatTime(at)}` }];
  return [
    ...moment(readiness === null ? null : readyNs, looks.ready, "is ready"),
    ...moment(endedNs, looks.ended, "ended"),
    ...moment(destroyedNs, looks.destroyed, "was destroyed"),
  ];
}

function spanOf({ beganNs, endedNs }: Span): Span {
  return { beganNs, endedNs };
}

function spanText({ beganNs, endedNs }: Span): string {
  return `${formatTime(beganNs)} to ${formatTime(endedNs)} · ${formatTime(endedNs - beganNs)}`;
}

function noteOf(life: DomainLife): string {
  const { state, readiness, readyNs } = life;
  const ready = readiness === null || readyNs === null ? "" : `, ready ${formatTime(readyNs)}`;
  return `${lifeText(life)}${state === "started" ? ready : ""}`;
}
