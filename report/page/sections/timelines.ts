// SPDX-License-Identifier: Apache-2.0
// The sections of time and order: for each run its timeline, its critical path and its order graph.

import { namesInShort } from "../../model/alike.js";
import { type PathPart, pathInShort } from "../../model/path-in-short.js";
import type { Report, Run } from "../../model/report.js";
import { formatTime } from "../../units.js";
import { activityWords, lifeText, readinessWords, spendingWords } from "../../words.js";
import { figure } from "../chart.js";
import { orderChart } from "../charts/order-chart.js";
import { partText, stackedChart } from "../charts/stacked-chart.js";
import { foldedTimelineCharts, timelineCharts } from "../charts/timeline-chart.js";
import { details, type Html, html, nothing, table } from "../html.js";

/** A key's entries: a piece of paint, and what it stands for. */
type Key = readonly (readonly [paint: string, words: string])[];

const timelineKey: Key = [
  ["make", "makes a domain"],
  ["tell", "tells it what is its own"],
  ["start", "starts it"],
  ["other", "reads and verifies the plan; exits"],
  ["wait", "the boot domain waits"],
  ["readiness", "a domain becomes ready"],
  ["life", "a domain runs"],
  ["critical", "critical path"],
];

export function keyOf(key: Key): Html {
  return html`<ul class="key" aria-label="Key">
${key.map(([paint, words]) => html`<li><svg class="swatch" aria-hidden="true" width="22" height="12"><use href="#swatch-${paint}"/></svg>${words}</li>`)}
</ul>`;
}

/** A heading for each run where there are several. */
function heading({ runs }: Report, { plan, status }: Run): Html {
  return runs.length === 1 ? nothing : html`<h3>The ${plan} plan: ${status}</h3>`;
}

export async function timelineSection(report: Report): Promise<Html> {
  const parts = await Promise.all(report.runs.map((run) => timelineOfRun(report, run)));
  return html`<section id="timeline" aria-labelledby="timeline-title">
<h2 id="timeline-title">Timeline</h2>
${parts}
</section>`;
}

async function timelineOfRun(report: Report, run: Run): Promise<Html> {
  const { timeline, criticalPath } = run;
  const whole = await figure(
    "What the boot domain did, and what became of each domain",
    timelineCharts(run),
    { legend: keyOf(timelineKey), below: details("All of it as a table", timelineTable(run)) },
  );
  const folded = foldedTimelineCharts(run);
  const work =
    folded.length === 0
      ? nothing
      : await figure("The same with the waits folded, so that the work can be seen", folded, {});
  const others = timeline.durationNs - criticalPath.lengthNs;
  return html`${heading(report, run)}
${whole}
${work}
${await spending(run)}
<div class="path">
<h3>Critical path</h3>
<p>To end sooner, the launch must shorten a part of this chain: ${formatTime(criticalPath.lengthNs)} of ${formatTime(timeline.durationNs)}${others > 0 ? html`, the other ${formatTime(others)} lie between its parts` : nothing}.</p>
${pathTable(run)}
</div>`;
}

const spendingPaints: Readonly<Record<keyof Run["spentNs"], string>> = {
  digest: "var(--start)",
  populate: "var(--make)",
  copy: "var(--tell)",
  clear: "url(#zeros)",
  wait: "url(#wait)",
  rest: "var(--other)",
};

/** Where the boot domain's time went. */
async function spending({ spentNs, plan, timeline }: Run): Promise<Html> {
  const parts = (Object.entries(spentNs) as [keyof Run["spentNs"], number][])
    .filter(([, time]) => time > 0)
    .map(([what, time]) => {
      const name = spendingWords[what];
      const text = partText(name, formatTime(time));
      return { name, amount: time, paint: spendingPaints[what], text };
    });
  const stack = { name: "boot domain", parts, note: formatTime(timeline.durationNs) };
  const words = parts.map(({ name, amount }) => `${name} ${formatTime(amount)}`).join(", ");
  const chart = stackedChart(`Where the time of the ${plan} plan went`, [stack]);
  return figure("Where its time went", [chart], { below: html`<p>${words}.</p>` });
}

function pathTable(run: Run): Html {
  const rows = pathInShort(run).map(({ what, domains, beganNs, spentNs }) => {
    const names = namesInShort(domains);
    const words = partWords(what, names);
    const share = run.timeline.durationNs === 0 ? 0 : (100 * spentNs) / run.timeline.durationNs;
    return [
      words,
      formatTime(beganNs),
      formatTime(spentNs),
      `${share < 0.1 ? "<0.1" : share.toFixed(1)} %`,
    ];
  });
  return table(
    "Critical path",
    [
      { title: "What" },
      { title: "From", numeric: true },
      { title: "Took", numeric: true },
      { title: "Of the launch", numeric: true },
    ],
    rows,
  );
}

/** A part of the critical path in words. */
function partWords(what: PathPart["what"], names: string): string {
  if (what === "readiness") return `${names} becomes ready`;
  if (what === "in-vain") return `${names} is awaited in vain`;
  return `boot domain ${activityWords[what]}${names === "" ? "" : ` ${names}`}`;
}

function timelineTable({ timeline, criticalPath, plan }: Run): Html {
  const { activities, waits, domains } = timeline;
  const critical = new Set(
    criticalPath.links.flatMap((link) => (link.kind === "activity" ? [link.activity] : [])),
  );
  const nameOf = (domain: number): string => domains[domain]?.name ?? "";
  const work = activities.map(({ kind, domain, step, failed, beganNs, endedNs }, index) => ({
    what: `${activityWords[kind]}${domain === undefined ? "" : ` ${nameOf(domain)}`}${failed ? ": failed" : ""}`,
    step: step === 0 ? "" : String(step),
    ...{ beganNs, endedNs, path: critical.has(index) ? "yes" : "" },
  }));
  const pauses = waits.map(({ awaited, beganNs, endedNs }) => ({
    ...{
      what: `waits for ${awaited.map(nameOf).join(", ")}`,
      step: "",
      beganNs,
      endedNs,
      path: "",
    },
  }));
  const rows = [...work, ...pauses]
    .sort((a, b) => a.beganNs - b.beganNs || a.endedNs - b.endedNs)
    .map(({ what, step, beganNs, endedNs, path }) => [
      ...[
        what,
        step,
        formatTime(beganNs),
        formatTime(endedNs),
        formatTime(endedNs - beganNs),
        path,
      ],
    ]);
  const at = (time: number | null): string => (time === null ? "" : formatTime(time));
  const lives = domains.map((life) => {
    const { name, domid, createdNs, startedNs, readyNs, endedNs, destroyedNs } = life;
    const times = [createdNs, startedNs, readyNs, endedNs, destroyedNs].map(at);
    return [name, String(domid), lifeText(life), ...times];
  });
  const time = (title: string) => ({ title, numeric: true });
  return html`${table(
    `What the boot domain did with the ${plan} plan`,
    [{ title: "Boot domain" }, ...["Step", "From", "To", "Took"].map(time), { title: "Critical" }],
    rows,
  )}
${table(
  `What became of the domains of the ${plan} plan`,
  [
    ...[{ title: "Domain" }, time("Domid"), { title: "State" }],
    ...["Created", "Started", "Ready", "Ended", "Destroyed"].map(time),
  ],
  lives,
)}`;
}

export async function orderSection(report: Report): Promise<Html> {
  const parts = await Promise.all(report.runs.map((run) => orderOfRun(report, run)));
  return html`<section id="order" aria-labelledby="order-title">
<h2 id="order-title">Order</h2>
${parts}
</section>`;
}

async function orderOfRun(report: Report, run: Run): Promise<Html> {
  const { order, domains } = run;
  const chart = orderChart(run);
  const unordered = order.unordered.map((index) => domains[index]?.name ?? "");
  const rest =
    unordered.length === 0
      ? nothing
      : html`<p>In no order, started as soon as all domains are made: ${namesInShort(unordered)}.</p>`;
  if (chart === undefined) return html`${heading(report, run)}${rest}`;
  const drawn = await figure("An arrow leads from what is awaited to what waits for it", [chart], {
    below: details("The order as a table", orderTable(run)),
  });
  return html`${heading(report, run)}
${drawn}
${rest}`;
}

function orderTable({ domains, steps, plan }: Run): Html {
  const rows = domains.map((facts, index) => {
    const guards = new Set(steps.flatMap((step) => (step.domain === index ? step.guards : [])));
    const names = [...guards].map((guard) => domains[guard]?.name ?? "").join(", ");
    return [facts.name, names === "" ? "none" : names, readinessWords(facts), facts.onFailure];
  });
  return table(
    `Order of the ${plan} plan`,
    [{ title: "Domain" }, { title: "Waits for" }, { title: "Is" }, { title: "If it fails" }],
    rows,
  );
}
