// SPDX-License-Identifier: Apache-2.0
// From Vega's description of a chart to a figure of the page: SVG text, made here and now, without a
// DOM. Colours are the page's variables, so that one picture serves light, dark and print.

import { parse, type Spec, View } from "vega";
import { Html, html } from "./html.js";

/** Widths of charts in the page's own pixels. */
export const CHART_WIDTH = 960;

const FONT = "inherit";

/** How all charts look; what a mark says of itself goes first. */
const config: NonNullable<Spec["config"]> = {
  axis: {
    ...{ labelFont: FONT, labelFontSize: 12, labelColor: "var(--muted)" },
    ...{ gridColor: "var(--line)", domainColor: "var(--line)", tickColor: "var(--line)" },
  },
  text: { font: FONT, fontSize: 12, fill: "var(--ink)" },
};

export interface Chart {
  /** What it shows, for who does not see it. */
  readonly label: string;
  /** Marks of these names have something to tell: keyboard and pointer find them. */
  readonly spec: Spec;
}

/** A chart as SVG; every mark with a description has it as its accessible name. */
export async function renderSvg({ label, spec }: Chart): Promise<Html> {
  const view = new View(parse({ padding: 0, ...withoutEmpty(spec), config }, {}), {
    renderer: "none",
  });
  try {
    const svg = await view.toSVG();
    const [opening = "", width, height] =
      /^<svg [^>]*?width="([\d.]+)" height="([\d.]+)"[^>]*>/.exec(svg) ?? [];
    const root = html`<svg class="chart" role="graphics-document" aria-label="${label}" width="${width ?? ""}" height="${height ?? ""}" viewBox="0 0 ${width ?? ""} ${height ?? ""}">`;
    return new Html(root.text + svg.slice(opening.length));
  } finally {
    view.finalize();
  }
}

/** Without marks of no data: a group that is empty has nothing to tell. */
function withoutEmpty(spec: Spec): Spec {
  const empty = new Set(
    (spec.data ?? []).flatMap((data) =>
      "values" in data && Array.isArray(data.values) && data.values.length === 0 ? [data.name] : [],
    ),
  );
  const marks = (spec.marks ?? []).filter(({ from }) => {
    const data = from !== undefined && "data" in from ? from.data : undefined;
    return data === undefined || !empty.has(data);
  });
  return { ...spec, marks };
}

/** A figure with its charts, what explains them, and the table that has the same. */
export async function figure(
  caption: string,
  charts: readonly Chart[],
  around: { readonly legend?: Html; readonly below?: Html },
): Promise<Html> {
  const drawn = await Promise.all(charts.map(renderSvg));
  const panels = drawn.map((svg) => html`<div class="scroll panel">${svg}</div>`);
  return html`<figure>
<figcaption>${caption}</figcaption>
${around.legend ?? new Html("")}
${panels}
${around.below ?? new Html("")}
</figure>`;
}
