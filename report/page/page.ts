// SPDX-License-Identifier: Apache-2.0
// The report as one HTML file. It loads nothing: its policy allows this style and this script, by
// their digests, and no request at all.

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { paths } from "../../setup/paths.js";
import type { Report } from "../model/report.js";
import { Html, html } from "./html.js";
import {
  domainsSection,
  materialsSection,
  memorySection,
  privilegesSection,
  trustSection,
} from "./sections/inventory.js";
import { failures, summary } from "./sections/summary.js";
import { orderSection, timelineSection } from "./sections/timelines.js";

/** Draws the page; the same report gives the same bytes. */
export async function reportPage(report: Report): Promise<string> {
  const [style, script] = await Promise.all(
    ["style.css", "script.js"].map((name) =>
      readFile(join(paths.checkout, "report", "page", name), "utf8"),
    ),
  );
  if (style === undefined || script === undefined) throw new Error("bug: a part of the page lacks");
  const policy = [
    "default-src 'none'",
    `style-src '${digestSource(style)}'`,
    `script-src '${digestSource(script)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  const failed = report.runs.some((run) => run.failures.length > 0);
  const links = [
    ...(failed ? [["failure", "What went wrong"] as const] : []),
    ["timeline", "Timeline"],
    ["order", "Order"],
    ["domains", "Domains"],
    ["memory", "Memory"],
    ["privileges", "Privileges"],
    ["trust", "Trust"],
    ["materials", "Materials"],
  ] as const;
  const sections = [
    summary(report),
    failures(report),
    await timelineSection(report),
    await orderSection(report),
    domainsSection(report),
    await memorySection(report),
    privilegesSection(report),
    await trustSection(report),
    await materialsSection(report),
  ];
  return html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${report.image.file}: launch report</title>
<style>${new Html(style)}</style>
</head>
<body>
<a class="skip" href="#content">To the content</a>
<nav aria-label="Sections"><ul>
${links.map(([id, words]) => html`<li><a href="#${id}">${words}</a></li>`)}
</ul></nav>
${definitions}
<main id="content">
${sections}
</main>
<script>${new Html(script)}</script>
</body>
</html>
`.text;
}

/** A part of the page as a policy names it. */
function digestSource(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}

const lines = (id: string, background: string, colour: string, angle: number) =>
  html`<pattern id="${id}" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(${angle})"><rect width="6" height="6" fill="${background}"/><path d="M0 0V6" stroke="${colour}" stroke-width="3"/></pattern>`;

const swatch = (name: string, paint: string) =>
  html`<symbol id="swatch-${name}" viewBox="0 0 22 12"><rect x="0.5" y="0.5" width="21" height="11" rx="2" fill="${paint}" stroke="var(--line-strong)" stroke-width="0.5"/></symbol>`;

/** Patterns of charts, and pieces of paint for their keys. */
const definitions = html`<svg class="definitions" aria-hidden="true"><defs>
${[
  lines("wait", "var(--surface)", "var(--line-strong)", 45),
  lines("readiness", "var(--ready-soft)", "var(--ready)", -45),
  lines("gone", "var(--raised)", "var(--other)", 45),
  lines("zeros", "var(--free)", "var(--life)", 0),
]}
${["make", "tell", "start", "other", "life", "kernel", "ramdisk", "free", "xen", "bad", "ready"].map((name) => swatch(name, `var(--${name})`))}
${["wait", "readiness", "gone", "zeros"].map((name) => swatch(name, `url(#${name})`))}
<symbol id="swatch-critical" viewBox="0 0 22 12"><path d="M0 6H22" stroke="var(--ink)" stroke-width="2.5"/></symbol>
</defs></svg>`;
