// SPDX-License-Identifier: Apache-2.0
// A launch's timeline as plain text for a terminal: a row for the boot domain and for each domain,
// time from left to right; then the critical path, and what went wrong.

import { namesInShort } from "../model/alike.js";
import type { Failure } from "../model/failures.js";
import { criticalOf, type PathPart, pathInShort } from "../model/path-in-short.js";
import type { Report, Run } from "../model/report.js";
import type { DomainLife, Span } from "../model/timeline.js";
import { formatTime, timeMarks } from "../units.js";
import { cut, lifeText, outcomeSentence, spendingWords } from "../words.js";

/** Columns of a name; a longer one is cut. */
const NAME_COLUMNS = 20;
/** Columns of what stands behind each row. */
const NOTE_COLUMNS = 22;
const LEAST_COLUMNS = 20;

const signs = {
  criticalWork: "█",
  work: "▒",
  criticalReadiness: "━",
  readiness: "╌",
  runs: "─",
  wait: "·",
  ready: "●",
} as const;

const legend =
  `${signs.criticalWork} boot domain's work on the critical path, ${signs.work} off it   ` +
  `${signs.wait} it waits   ${signs.criticalReadiness} ${signs.readiness} a domain becomes ready, ` +
  `${signs.ready} is ready   ${signs.runs} runs`;

/** The text, for so many columns, ending with a newline. */
export function timelineText(report: Report, columns: number): string {
  return [
    `${report.image.file}: ${outcomeSentence(report)}`,
    ...report.runs.flatMap((run) => [
      "",
      ...(report.runs.length > 1 ? [`${run.plan} plan: ${run.status}`, ""] : []),
      ...runText(run, columns),
    ]),
    "",
    ...wrapped(legend, columns),
    "",
  ].join("\n");
}

function runText(run: Run, columns: number): readonly string[] {
  const { activities, waits, domains, durationNs } = run.timeline;
  const named = Math.max(11, ...domains.map(({ name }) => name.length));
  const nameColumns = Math.min(named, NAME_COLUMNS);
  const width = Math.max(LEAST_COLUMNS, columns - nameColumns - NOTE_COLUMNS - 4);
  const critical = criticalOf(run);
  const row = (name: string, cells: readonly string[], note: string): string =>
    `${cut(name, nameColumns).padEnd(nameColumns)}  ${cells.join("")}  ${note}`.trimEnd();
  const bar = new Bar(width, durationNs);
  const workSign = (index: number) =>
    critical.activities.has(index) ? signs.criticalWork : signs.work;

  const bootDomain = bar.empty();
  for (const wait of waits) bar.draw(bootDomain, wait, signs.wait);
  for (const [index, activity] of activities.entries()) {
    if (!critical.activities.has(index)) bar.draw(bootDomain, activity, signs.work);
  }
  for (const index of critical.activities) {
    bar.draw(bootDomain, activities[index], signs.criticalWork);
  }
  const waited = waits.reduce((sum, { beganNs, endedNs }) => sum + endedNs - beganNs, 0);
  const rows = domains.map((life, domain) => {
    const cells = bar.empty();
    const { readyNs, startedNs, destroyedNs, endedNs, readiness } = life;
    const until = destroyedNs ?? endedNs ?? durationNs;
    if (startedNs !== null) bar.draw(cells, { beganNs: startedNs, endedNs: until }, signs.runs);
    const isCritical = critical.readiness.has(domain);
    const sign = isCritical ? signs.criticalReadiness : signs.readiness;
    if (readiness !== null) bar.draw(cells, readiness, sign);
    for (const [index, activity] of activities.entries()) {
      if (activity.domain === domain) bar.draw(cells, activity, workSign(index));
    }
    if (readiness !== null && readyNs !== null) bar.mark(cells, readyNs, signs.ready);
    return row(life.name, cells, noteOf(life));
  });
  return [
    axis(bar, nameColumns),
    row("boot domain", bootDomain, waited === 0 ? "" : `waits ${formatTime(waited)}`),
    ...rows,
    "",
    ...pathText(run),
    "",
    spendingText(run),
    ...run.failures.flatMap((failure) => ["", ...failureText(failure)]),
  ];
}

/** Times as cells of one row. */
class Bar {
  constructor(
    readonly width: number,
    readonly durationNs: number,
  ) {}

  empty(): string[] {
    return Array.from({ length: this.width }, () => " ");
  }

  /** The cell of a time. */
  at(time: number): number {
    const share = this.durationNs === 0 ? 0 : time / this.durationNs;
    return Math.min(Math.floor(share * this.width), this.width - 1);
  }

  /** Fills the cells of a span, one at least. */
  draw(cells: string[], span: Span | undefined, sign: string): void {
    if (span === undefined) return;
    const first = this.at(span.beganNs);
    const end = Math.ceil((span.endedNs / Math.max(this.durationNs, 1)) * this.width);
    cells.fill(sign, first, Math.max(first + 1, Math.min(end, this.width)));
  }

  mark(cells: string[], time: number, sign: string): void {
    cells[this.at(time)] = sign;
  }
}

function axis(bar: Bar, nameColumns: number): string {
  const marks = timeMarks(bar.durationNs);
  const cells = bar.empty();
  let free = 0;
  for (const mark of marks) {
    const [text, at] = [mark === 0 ? "0" : formatTime(mark), bar.at(mark)];
    if (at < free || at + text.length > bar.width) continue;
    for (const [offset, character] of [...text].entries()) cells[at + offset] = character;
    free = at + text.length + 2;
  }
  return `${" ".repeat(nameColumns)}  ${cells.join("")}`.trimEnd();
}

function noteOf(life: DomainLife): string {
  const { state, readiness, readyNs } = life;
  const ready = readiness === null || readyNs === null ? "" : `, ready ${formatTime(readyNs)}`;
  return `${lifeText(life)}${state === "started" ? ready : ""}`;
}

const partWords: Readonly<Partial<Record<PathPart["what"], string>>> = {
  readiness: "until ready:",
  "in-vain": "in vain for",
};

/** The path's links, steps of one kind that follow each other in one line. */
function pathText(run: Run): readonly string[] {
  const { criticalPath, timeline } = run;
  const head = `critical path, ${formatTime(criticalPath.lengthNs)} of ${formatTime(timeline.durationNs)}`;
  const lines = pathInShort(run).map(({ what, domains, spentNs }) => {
    const names = namesInShort(domains);
    return `  ${formatTime(spentNs).padStart(8)}  ${partWords[what] ?? what}${names === "" ? "" : ` ${names}`}`;
  });
  return [head, ...lines];
}

/** Where the boot domain's time went, the most first. */
function spendingText({ spentNs }: Run): string {
  const parts = (Object.entries(spentNs) as [keyof Run["spentNs"], number][])
    .filter(([, time]) => time > 0)
    .sort(([, a], [, b]) => b - a)
    .map(([what, time]) => `${spendingWords[what]} ${formatTime(time)}`);
  return `its time: ${parts.join(", ")}`;
}

function failureText({ reason, step, operation, domain, command, advice }: Failure): string[] {
  const place = [
    ...(domain === null ? [] : [`domain ${domain}`]),
    ...(step === 0 ? [] : [`step ${step}`]),
    ...(operation === 0 ? [] : [`operation ${operation}`]),
  ].join(", ");
  return [
    `failure: ${reason}${place === "" ? "" : ` (${place})`}`,
    command === null ? `  ${advice}` : `  again in the simulator: ${command}`,
  ];
}

/** Lines of at most so many columns, broken where the text has three spaces. */
function wrapped(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  for (const part of text.split("   ")) {
    const last = lines.at(-1);
    const joined = last === undefined ? part : `${last}   ${part}`;
    if (last !== undefined && joined.length <= columns) lines[lines.length - 1] = joined;
    else lines.push(part);
  }
  return lines;
}
