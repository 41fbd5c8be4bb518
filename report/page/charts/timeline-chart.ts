// SPDX-License-Identifier: Apache-2.0
// The timeline as charts: a row for the boot domain, one for each domain, time from left to right.
// Many rows are several charts, each with the boot domain's row on top, so that a page of paper
// holds one.

import type { Mark, Spec } from "vega";
import type { Run } from "../../model/report.js";
import { cut } from "../../words.js";
import { CHART_WIDTH, type Chart } from "../chart.js";
import { evenAxis, foldedAxis, type TimeAxis } from "./time-axis.js";
import { type TimelineRows, timelineRows } from "./timeline-rows.js";

/** Rows of domains in one chart. */
const MOST_ROWS = 32;
const ROW = 26;
const BAR = 12;
/** Room over the rows for times, and beside them for names and what became of the domain. */
const TIMES = 24;
const NAMES = 150;
const NAME_CHARACTERS = 18;
const NOTES = 160;
const PLOT = CHART_WIDTH - NAMES - NOTES;
/** What is shorter is drawn this wide all the same. */
const LEAST_BAR = 2;

/** The charts of a run's whole time. */
export function timelineCharts(run: Run): readonly Chart[] {
  return chartsOf(run, evenAxis(run, PLOT), "Timeline");
}

/** The same with its waits folded, where they hide the work between them; none otherwise. */
export function foldedTimelineCharts(run: Run): readonly Chart[] {
  const axis = foldedAxis(run, PLOT);
  return axis === undefined ? [] : chartsOf(run, axis, "Timeline with its waits folded");
}

function chartsOf(run: Run, axis: TimeAxis, title: string): readonly Chart[] {
  const count = run.timeline.domains.length;
  const charts = Math.max(1, Math.ceil(count / MOST_ROWS));
  const rows = Math.ceil(count / charts);
  return Array.from({ length: charts }, (_, index) => {
    const first = index * rows;
    const shown = Math.min(rows, count - first);
    const of = charts === 1 ? "" : `, domains ${first + 1} to ${first + shown} of ${count}`;
    const spec = specOf(timelineRows(run, first, shown), axis);
    return { label: `${title} of the ${run.plan} plan${of}`, spec };
  });
}

const x = (field: string) => ({ scale: "x", field });
const atRow = (offset: number) => ({ signal: `${TIMES + offset} + ${ROW} * datum.row` });
const began = "scale('x', datum.beganNs)";
const ended = "scale('x', datum.endedNs)";
/** Neighbours have a gap between them where there is room for one. */
const spanning = {
  x: x("beganNs"),
  x2: { signal: `${ended} - ${began} > 4 ? ${ended} - 1 : max(${ended}, ${began} + ${LEAST_BAR})` },
};
const bar = { ...spanning, y: atRow(5), height: { value: BAR } };
/** Where the line of the critical path runs in each row. */
const PATH = ROW - 5;

function specOf(rows: TimelineRows, axis: TimeAxis): Spec {
  const height = TIMES + rows.names.length * ROW + 4;
  return {
    ...{ width: CHART_WIDTH, height, autosize: "none" },
    data: [
      {
        name: "names",
        values: rows.names.map((row) => ({ ...row, name: cut(row.name, NAME_CHARACTERS) })),
      },
      { name: "times", values: [...axis.marks] },
      { name: "folds", values: [...axis.folds] },
      { name: "lives", values: [...rows.lives] },
      { name: "readiness", values: [...rows.readiness] },
      { name: "waits", values: [...rows.waits] },
      { name: "work", values: [...rows.work] },
      { name: "critical", values: rows.work.filter(({ critical }) => critical) },
      { name: "moments", values: [...rows.moments] },
      { name: "path", values: [...rows.path] },
    ],
    scales: [
      {
        ...{ name: "x", type: "linear", zero: false },
        domain: [...axis.times],
        range: axis.places.map((place) => place + NAMES),
      },
    ],
    marks: [...frame(height), ...layers],
  };
}

/** Lines between rows and at times, with their words. */
function frame(height: number): Mark[] {
  const still = { aria: false, interactive: false } as const;
  const across = { x: { value: 0 }, x2: { value: CHART_WIDTH } };
  const place = { signal: `datum.place + ${NAMES}` };
  return [
    {
      ...{ type: "rect", from: { data: "folds" }, ...still },
      encode: {
        enter: {
          ...{ x: x("beganNs"), x2: x("endedNs"), y: { value: TIMES }, y2: { value: height } },
          fill: { value: "var(--fold)" },
        },
      },
    },
    {
      ...{ type: "rule", from: { data: "times" }, ...still },
      encode: {
        enter: {
          ...{ x: place, y: { value: TIMES - 4 }, y2: { value: height } },
          stroke: { value: "var(--line)" },
        },
      },
    },
    {
      ...{ type: "text", from: { data: "times" }, ...still },
      encode: {
        enter: {
          ...{ x: place, y: { value: TIMES - 10 }, text: { field: "text" } },
          ...{ align: { value: "center" }, fill: { value: "var(--muted)" } },
        },
      },
    },
    {
      ...{ type: "rule", from: { data: "names" }, ...still },
      encode: { enter: { ...across, y: atRow(-0.5), stroke: { value: "var(--line)" } } },
    },
    {
      ...{ type: "text", from: { data: "names" }, ...still },
      encode: {
        enter: {
          ...{ x: { value: 4 }, y: atRow(ROW / 2), text: { field: "name" } },
          baseline: { value: "middle" },
          fontWeight: { signal: "datum.row == 0 ? 600 : 400" },
          fontSize: { value: 13 },
        },
      },
    },
    {
      ...{ type: "text", from: { data: "names" }, ...still },
      encode: {
        enter: {
          ...{ x: { value: CHART_WIDTH - NOTES + 14 }, y: atRow(ROW / 2), text: { field: "note" } },
          ...{ baseline: { value: "middle" }, fill: { value: "var(--muted)" } },
        },
      },
    },
  ];
}

/** From the back to the front; names that begin with `tells` are those of marks with words. */
const layers: Mark[] = [
  {
    ...{ type: "rect", from: { data: "lives" }, aria: false },
    encode: {
      enter: {
        ...{ ...spanning, y: atRow(9), height: { value: 4 } },
        fill: { value: "var(--life)" },
      },
    },
  },
  {
    ...{ type: "rect", name: "tells-readiness", from: { data: "readiness" } },
    encode: {
      enter: {
        ...{ ...bar, fill: { value: "url(#readiness)" }, description: { field: "text" } },
        ...{ stroke: { value: "var(--ready)" }, strokeWidth: { value: 0.75 } },
      },
    },
  },
  {
    ...{ type: "rect", name: "tells-waits", from: { data: "waits" } },
    encode: {
      enter: { ...bar, fill: { value: "url(#wait)" }, description: { field: "text" } },
    },
  },
  {
    ...{ type: "rect", name: "tells-work", from: { data: "work" } },
    encode: {
      enter: { ...bar, fill: { field: "colour" }, description: { field: "text" } },
    },
  },
  {
    ...{ type: "rect", from: { data: "critical" }, aria: false },
    encode: {
      enter: {
        ...spanning,
        y: atRow(PATH - 1),
        height: { value: 2 },
        fill: { value: "var(--ink)" },
      },
    },
  },
  {
    ...{ type: "line", from: { data: "path" }, aria: false },
    encode: {
      enter: {
        ...{ x: x("at"), y: atRow(PATH), stroke: { value: "var(--ink)" } },
        ...{ strokeWidth: { value: 2 }, strokeJoin: { value: "round" } },
      },
    },
  },
  {
    ...{ type: "symbol", name: "tells-moments", from: { data: "moments" } },
    encode: {
      enter: {
        ...{ x: x("at"), y: atRow(5 + BAR / 2), shape: { field: "shape" }, size: { value: 90 } },
        ...{ fill: { field: "fill" }, stroke: { field: "stroke" } },
        ...{ strokeWidth: { field: "strokeWidth" }, description: { field: "text" } },
      },
    },
  },
];
