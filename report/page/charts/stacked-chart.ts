// SPDX-License-Identifier: Apache-2.0
// Bars made of parts, each as wide as it is much: who has how much of the host's memory, how much
// code a domain trusts, how large the materials are, where the time went.

import type { Mark } from "vega";
import { cut } from "../../words.js";
import { CHART_WIDTH, type Chart } from "../chart.js";

export interface StackPart {
  readonly name: string;
  /** Bytes, or nanoseconds. */
  readonly amount: number;
  /** A colour or pattern of the page. */
  readonly paint: string;
  /** What it tells. */
  readonly text: string;
}

export interface Stack {
  readonly name: string;
  readonly parts: readonly StackPart[];
  /** What stands behind it. */
  readonly note: string;
}

const ROW = 40;
const BAR = 24;
const NAMES = 190;
const NAME_CHARACTERS = 25;
const NOTES = 110;
const PLOT = CHART_WIDTH - NAMES - NOTES;
/** What is smaller is drawn this wide all the same. */
const LEAST_PART = 3;
/** Room of a character of a part's name in it. */
const CHARACTER = 7;

/** A row for each stack; all have the scale of the largest. */
export function stackedChart(label: string, stacks: readonly Stack[]): Chart {
  const most = Math.max(1, ...stacks.map(({ parts }) => amountOf(parts)));
  const widest = Math.max(1, ...stacks.map(({ parts }) => parts.length));
  const scale = (PLOT - widest * LEAST_PART) / most;
  const parts = stacks.flatMap((stack, row) => {
    let place = NAMES;
    return stack.parts.map(({ name, amount, paint, text }) => {
      const width = LEAST_PART + amount * scale;
      const at = place;
      place += width;
      const fits = name.length * CHARACTER + 10 < width && !paint.startsWith("url(");
      return { row, place: at, width, paint, text, name: fits ? name : "" };
    });
  });
  const names = stacks.map(({ name, note }, row) => ({
    ...{ row, name: cut(name, NAME_CHARACTERS), note },
  }));
  return {
    label,
    spec: {
      ...{ width: CHART_WIDTH, height: stacks.length * ROW, autosize: "none" },
      data: [
        { name: "names", values: names },
        { name: "parts", values: parts },
      ],
      marks,
    },
  };
}

function amountOf(parts: readonly StackPart[]): number {
  return parts.reduce((sum, { amount }) => sum + amount, 0);
}

/** A part's words: its name, how much it is, and what else there is to say. */
export function partText(name: string, amount: string, more = ""): string {
  return `${name} · ${amount}${more === "" ? "" : ` · ${more}`}`;
}

const atRow = (offset: number) => ({ signal: `${offset} + ${ROW} * datum.row` });
const inMiddle = { y: atRow(ROW / 2), baseline: { value: "middle" } } as const;
const still = { aria: false, interactive: false } as const;

const marks: Mark[] = [
  {
    ...{ type: "rect", name: "tells-parts", from: { data: "parts" } },
    encode: {
      enter: {
        ...{ x: { field: "place" }, width: { field: "width" } },
        ...{ y: atRow((ROW - BAR) / 2), height: { value: BAR } },
        ...{ fill: { field: "paint" }, stroke: { value: "var(--surface)" } },
        description: { field: "text" },
      },
    },
  },
  {
    ...{ type: "text", from: { data: "parts" }, ...still },
    encode: {
      enter: {
        ...{ x: { field: "place", offset: 7 }, ...inMiddle, text: { field: "name" } },
        ...{ fill: { value: "var(--on-paint)" }, fontWeight: { value: 600 } },
      },
    },
  },
  {
    ...{ type: "text", from: { data: "names" }, ...still },
    encode: {
      enter: {
        ...{ x: { value: 4 }, ...inMiddle, text: { field: "name" }, fontSize: { value: 13 } },
      },
    },
  },
  {
    ...{ type: "text", from: { data: "names" }, ...still },
    encode: {
      enter: {
        ...{ x: { value: CHART_WIDTH - NOTES + 12 }, ...inMiddle, text: { field: "note" } },
        fill: { value: "var(--muted)" },
      },
    },
  },
];
