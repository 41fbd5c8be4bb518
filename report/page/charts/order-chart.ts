// SPDX-License-Identifier: Apache-2.0
// The order graph as a chart: domains as boxes, those that are awaited before those that wait, laid
// out by dagre.

import { Graph, layout } from "@dagrejs/dagre";
import type { Mark } from "vega";
import { namesInShort } from "../../model/alike.js";
import type { Run } from "../../model/report.js";
import { cut, lifeWords, readinessWords } from "../../words.js";
import { CHART_WIDTH, type Chart } from "../chart.js";

const LINE = 18;
const PADDING = 12;
/** Widths of a character of the first and of the second line, on the safe side. */
const NAME_CHARACTER = 8;
const NOTE_CHARACTER = 6.8;
const MOST_CHARACTERS = 40;
const MARGIN = 8;

const noLife = { sign: "–", words: "", isBad: false };

interface Box {
  readonly name: string;
  readonly note: string;
  readonly text: string;
  readonly critical: boolean;
  readonly bad: boolean;
  readonly width: number;
  readonly height: number;
}

/** The chart; undefined where no domain waits for another. */
export function orderChart(run: Run): Chart | undefined {
  const { nodes, edges } = run.order;
  if (edges.length === 0) return undefined;
  const boxes = nodes.map(({ domains, critical }): Box => {
    const names = domains.map((index) => run.domains[index]?.name ?? "");
    const [first = 0] = domains;
    const life = run.timeline.domains[first];
    const { sign, words, isBad } = life === undefined ? noLife : lifeWords(life);
    const name = cut(`${sign} ${namesInShort(names)}`, MOST_CHARACTERS);
    const note = readinessWords(run.domains[first]);
    const widest = Math.max(name.length * NAME_CHARACTER, note.length * NOTE_CHARACTER);
    return {
      ...{ name, note, critical, bad: isBad },
      text: `${names.join(", ")} · ${words} · ${note}${critical ? " · on the critical path" : ""}`,
      ...{ width: widest + 2 * PADDING, height: 2 * LINE + PADDING },
    };
  });
  const placed = place(boxes, edges);
  const ends = placed.lines.map(({ points, critical }) => {
    const [before, last] = points.slice(-2);
    const angle = Math.atan2((last?.y ?? 0) - (before?.y ?? 0), (last?.x ?? 0) - (before?.x ?? 0));
    return { ...last, angle: (angle * 180) / Math.PI + 90, critical };
  });
  const points = placed.lines.flatMap(({ points: line, critical }, edge) =>
    line.map((point) => ({ ...point, edge, critical })),
  );
  const words = edges.length === 1 ? "one waits for another" : `${edges.length} of them wait`;
  return {
    label: `Order of the ${run.plan} plan: ${nodes.length} groups of domains, ${words}`,
    spec: {
      ...{ width: placed.width, height: placed.height, autosize: "none" },
      data: [
        { name: "boxes", values: placed.boxes },
        { name: "points", values: points },
        { name: "ends", values: ends },
      ],
      marks,
    },
  };
}

interface Placed {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly (Box & { readonly x: number; readonly y: number })[];
  readonly lines: readonly {
    readonly points: readonly { readonly x: number; readonly y: number }[];
    readonly critical: boolean;
  }[];
}

/** From left to right, or from above to below where that is too wide for the page. */
function place(boxes: readonly Box[], edges: Run["order"]["edges"]): Placed {
  const across = placeTo("LR", boxes, edges);
  if (across.width <= CHART_WIDTH) return across;
  const down = placeTo("TB", boxes, edges);
  return down.width < across.width ? down : across;
}

function placeTo(rankdir: "LR" | "TB", boxes: readonly Box[], edges: Run["order"]["edges"]) {
  const graph = new Graph();
  const margins = { marginx: MARGIN, marginy: MARGIN };
  graph.setGraph({ rankdir, nodesep: 18, ranksep: 54, edgesep: 12, ...margins });
  for (const [index, { width, height }] of boxes.entries()) {
    graph.setNode(String(index), { width, height });
  }
  for (const { from, to } of edges) graph.setEdge(String(from), String(to), {});
  layout(graph);
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number };
  return {
    ...{ width, height },
    boxes: boxes.map((box, index) => {
      const { x, y } = graph.node(String(index)) as { x: number; y: number };
      return { ...box, x: x - box.width / 2, y: y - box.height / 2 };
    }),
    lines: edges.map(({ from, to, critical }) => {
      const { points } = graph.edge(String(from), String(to)) as {
        points: { x: number; y: number }[];
      };
      return { points, critical };
    }),
  };
}

const paint = { signal: "datum.critical ? 'var(--ink)' : 'var(--muted)'" };

const marks: Mark[] = [
  {
    ...{ type: "group", aria: false },
    from: { facet: { name: "edges", data: "points", groupby: "edge" } },
    marks: [
      {
        ...{ type: "line", from: { data: "edges" }, aria: false },
        encode: {
          enter: {
            ...{ x: { field: "x" }, y: { field: "y" }, stroke: paint },
            strokeWidth: { signal: "datum.critical ? 2.5 : 1.25" },
            interpolate: { value: "monotone" },
          },
        },
      },
    ],
  },
  {
    ...{ type: "symbol", from: { data: "ends" }, aria: false },
    encode: {
      enter: {
        ...{ x: { field: "x" }, y: { field: "y" }, angle: { field: "angle" }, fill: paint },
        ...{ shape: { value: "M0,0L0.55,1.4L-0.55,1.4Z" }, size: { value: 160 } },
      },
    },
  },
  {
    ...{ type: "rect", name: "tells-boxes", from: { data: "boxes" } },
    encode: {
      enter: {
        ...{ x: { field: "x" }, y: { field: "y" } },
        ...{ width: { field: "width" }, height: { field: "height" }, cornerRadius: { value: 6 } },
        fill: { signal: "datum.bad ? 'var(--bad-soft)' : 'var(--raised)'" },
        stroke: { signal: "datum.critical ? 'var(--ink)' : 'var(--line-strong)'" },
        strokeWidth: { signal: "datum.critical ? 2.5 : 1" },
        description: { field: "text" },
      },
    },
  },
  {
    ...{ type: "text", from: { data: "boxes" }, aria: false, interactive: false },
    encode: {
      enter: {
        ...{ x: { field: "x", offset: PADDING }, y: { field: "y", offset: PADDING + 9 } },
        ...{ text: { field: "name" }, fontSize: { value: 13 }, fontWeight: { value: 600 } },
      },
    },
  },
  {
    ...{ type: "text", from: { data: "boxes" }, aria: false, interactive: false },
    encode: {
      enter: {
        ...{ x: { field: "x", offset: PADDING }, y: { field: "y", offset: PADDING + 9 + LINE } },
        ...{ text: { field: "note" }, fill: { value: "var(--muted)" } },
      },
    },
  },
];
