// SPDX-License-Identifier: Apache-2.0
// The page's head: how the launch ended, what it took, and what went wrong with the way to repeat it.

import { xenOf } from "../../../compiler/image/xen-versions.js";
import { architectureNames } from "../../../xen-model/machines.js";
import type { Failure } from "../../model/failures.js";
import type { Report, Run } from "../../model/report.js";
import { formatBytes, formatTime } from "../../units.js";
import { isRunning, lastRun, outcomeSentence } from "../../words.js";
import { type Html, html, nothing } from "../html.js";

const outcomes: Readonly<
  Record<Report["outcome"], { readonly sign: string; readonly word: string }>
> = {
  success: { sign: "✓", word: "Success" },
  recovered: { sign: "↺", word: "Recovered" },
  failed: { sign: "✕", word: "Failed" },
};

export function summary(report: Report): Html {
  const { image, outcome, source } = report;
  const { sign, word } = outcomes[outcome];
  const from =
    source === "receipt"
      ? "From the receipt that the boot domain wrote on its host."
      : "As the simulator launches it: the times are those of its model of Xen.";
  return html`<header class="summary">
<p class="kicker">Launch report</p>
<h1>${image.file}</h1>
<p class="outcome ${outcome}"><span class="sign" aria-hidden="true">${sign}</span> <strong>${word}</strong>${restOf(outcomeSentence(report))}</p>
<p class="source">${from}</p>
<dl class="facts">
${factsOf(report).map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}
</dl>
${digestLine(report)}
</header>`;
}

/** A sentence without its first word, which stands before it already. */
function restOf(sentence: string): string {
  return sentence.replace(/^\w+/, "");
}

function digestLine({ image, runs }: Report): Html {
  const plans = runs.map(
    ({ plan, planDigest }) =>
      html`<div><dt>${plan} plan</dt><dd><code>${planDigest}</code></dd></div>`,
  );
  const policy =
    image.policy === undefined
      ? []
      : [html`<div><dt>FLASK policy</dt><dd><code>${image.policy.digest}</code></dd></div>`];
  return html`<dl class="digests">
${[...plans, ...policy]}
</dl>`;
}

function factsOf(report: Report): readonly (readonly [name: string, value: string])[] {
  const { image, runs } = report;
  const last = lastRun(report);
  const took = runs.reduce((sum, { timeline }) => sum + timeline.durationNs, 0);
  const waited = runs.reduce((sum, run) => sum + waitedNs(run), 0);
  const running = last.timeline.domains.filter(isRunning).length;
  return [
    ["Launch took", formatTime(took)],
    ["Waits in it", waited === 0 ? "none" : formatTime(waited)],
    ["Domains that run", `${running} of ${last.timeline.domains.length}`],
    ["Signature", signatureText(last, image.signed)],
    ["Image", formatBytes(image.bytes)],
    [
      "Made for",
      `${architectureNames[image.architecture]}, Xen ${xenOf(image.xenInterface) ?? "?"}`,
    ],
  ];
}

function waitedNs({ timeline }: Run): number {
  return timeline.waits.reduce((sum, { beganNs, endedNs }) => sum + endedNs - beganNs, 0);
}

function signatureText({ verifiedBy, launchVersion }: Run, signed: boolean): string {
  if (verifiedBy !== 0) return `by trusted key ${verifiedBy}, launch version ${launchVersion}`;
  return signed ? "not verified: by no trusted key" : "none: not verified";
}

/** What went wrong; nothing if all went well. */
export function failures({ runs }: Report): Html {
  const all = runs.flatMap(({ plan, failures: some }) =>
    some.map((failure) => ({ plan, failure })),
  );
  if (all.length === 0) return nothing;
  const several = runs.length > 1;
  return html`<section id="failure" aria-labelledby="failure-title">
<h2 id="failure-title">What went wrong</h2>
${all.map(({ plan, failure }) => failureOf(failure, several ? `${plan} plan` : ""))}
</section>`;
}

/** Text in which commands stand between backticks. */
function prose(text: string): Html {
  const parts = text.split("`");
  return html`${parts.map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : html`${part}`))}`;
}

function failureOf(failure: Failure, plan: string): Html {
  const { reason, step, operation, operationKind, domain, error, status, endedLaunch } = failure;
  const places: readonly (readonly [string, string])[] = [
    ...(plan === "" ? [] : [["Plan", plan] as const]),
    ...(domain === null ? [] : [["Domain", domain] as const]),
    ...(step === 0 ? [] : [["Step", String(step)] as const]),
    ...(operation === 0
      ? []
      : [
          [
            "Operation",
            `${operation}${operationKind === null ? "" : `, ${operationKind}`}`,
          ] as const,
        ]),
    ...(error === null ? [] : [["Xen's answer", error] as const]),
    ["Launch status", status],
    ["Then", endedLaunch ? "the launch was undone" : "the launch went on without it"],
  ];
  const again =
    failure.command === null
      ? html`<p>${prose(failure.advice ?? "")}</p>`
      : html`<p>Again in the simulator:</p><pre class="command"><code>${failure.command}</code></pre>`;
  return html`<article class="failure">
<h3>${reason}</h3>
<dl class="facts">
${places.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}
</dl>
${again}
</article>`;
}
