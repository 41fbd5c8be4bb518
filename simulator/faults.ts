// SPDX-License-Identifier: Apache-2.0
// Faults that are put into a launch: which hypercall, and what it gives instead. Their text form
// is what `domb simulate --fault` takes, and what a failing test prints.

import { errnoName, errnos } from "../xen-model/errno.js";
import {
  type Hypercall,
  type HypercallName,
  hypercallNames,
  type Injection,
} from "../xen-model/hypercalls.js";

/** A hypercall, the `occurrence`th of its name from 1, that gives an injection instead. */
export interface Fault extends Injection {
  readonly hypercall: HypercallName;
  readonly occurrence: number;
}

export type ParsedFault =
  | { readonly ok: true; readonly fault: Fault }
  | { readonly ok: false; readonly problem: string };

/** The forms of a fault, for messages. */
export const faultForms = "populate:3=ENOMEM, populate:3=5 or copy:2=ENOENT@7";

const form = /^([A-Za-z]+):(\d{1,9})=(E[A-Z0-9]+|\d{1,9})(?:@(\d{1,9}))?$/;

/**
 * Reads `HYPERCALL:N=ERRNO`, with `@DONE` behind it where the hypercall does so many units (pages
 * of a copy, extents) before it fails; or `HYPERCALL:N=NUMBER`, which does and answers so many.
 */
export function parseFault(text: string): ParsedFault {
  const match = form.exec(text);
  if (match === null) {
    return { ok: false, problem: `a fault is ${JSON.stringify(text)}, wanted: ${faultForms}` };
  }
  const [, name = "", occurrenceText = "", what = "", doneText = "0"] = match;
  const hypercall = hypercallNames.find((known) => known === name);
  if (hypercall === undefined) {
    const problem = `there is no hypercall "${name}", wanted one of ${hypercallNames.join(", ")}`;
    return { ok: false, problem };
  }
  const occurrence = Number(occurrenceText);
  if (occurrence === 0) return { ok: false, problem: "hypercalls are counted from 1, found 0" };
  if (/^\d/.test(what)) {
    if (match[4] !== undefined) {
      return { ok: false, problem: `@ goes with an errno, found ${what}@${doneText}` };
    }
    const answer = Number(what);
    return { ok: true, fault: { hypercall, occurrence, answer, done: answer } };
  }
  const errno = errnos.get(what);
  if (errno === undefined) {
    const problem = `there is no errno ${what}, wanted one of ${[...errnos.keys()].join(", ")}`;
    return { ok: false, problem };
  }
  return { ok: true, fault: { hypercall, occurrence, answer: -errno, done: Number(doneText) } };
}

/** The text that parseFault() reads back. */
export function formatFault({ hypercall, occurrence, answer, done }: Fault): string {
  const what = answer >= 0 ? String(answer) : errnoName(-answer);
  const part = answer < 0 && done > 0 ? `@${done}` : "";
  return `${hypercall}:${occurrence}=${what}${part}`;
}

/** What the model asks before each hypercall. */
export function injectFaults(faults: readonly Fault[]): (call: Hypercall) => Injection | undefined {
  return ({ name, occurrence }) =>
    faults.find((fault) => fault.hypercall === name && fault.occurrence === occurrence);
}
