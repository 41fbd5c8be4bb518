// SPDX-License-Identifier: Apache-2.0
// A launch hypercall by hypercall: when, of which step and operation, what Xen was asked, and what
// it answered.

import type { Plan, PlanOperation } from "../compiler/plan/plan.js";
import { POPULATE_BATCH } from "../contract/limits.js";
import { errnoName } from "../xen-model/errno.js";
import type { Hypercall } from "../xen-model/hypercalls.js";

/** One hypercall of a trace. */
export interface TracedCall {
  /** Virtual time in nanoseconds since the launch began. */
  readonly atNs: number;
  readonly endNs: number;
  /** Numbers of step and operation, from 1; 0 for what comes before the first step or after the last. */
  readonly step: number;
  readonly operation: number;
  readonly hypercall: Hypercall["name"];
  readonly occurrence: number;
  /** 0 for console and exit. */
  readonly domid: number;
  readonly details: string;
  /** 0 or more, or a negative errno; undefined for the exit, which does not return. */
  readonly answer: number | undefined;
}

/** A place in the plan: numbers from 1. */
interface Place {
  readonly step: number;
  readonly operation: number;
}

/** For each hypercall of a launch that meets no failure its place, in order. */
function* placesOf(plan: Plan): Generator<Place, undefined> {
  const done = new Set<number>([0]);
  for (let progress = true; progress; ) {
    progress = false;
    for (const [index, { firstOperation, operationCount, afterStep }] of plan.steps.entries()) {
      if (done.has(index + 1) || !done.has(afterStep)) continue;
      for (let at = firstOperation; at < firstOperation + operationCount; at++) {
        const place = { step: index + 1, operation: at + 1 };
        for (let left = hypercallsOf(plan.operations[at]); left > 0; left--) yield place;
      }
      done.add(index + 1);
      progress = true;
    }
  }
}

function hypercallsOf(operation: PlanOperation | undefined): number {
  if (operation === undefined || operation.kind === "verify") return 0;
  return operation.kind === "populate" ? Math.ceil(operation.count / POPULATE_BATCH) : 1;
}

const ofNoStep: ReadonlySet<Hypercall["name"]> = new Set(["drop", "destroy", "console", "exit"]);

/** Collects the hypercalls of one launch of the plan, or of an image without one. */
export class Trace {
  readonly calls: TracedCall[] = [];
  readonly #places: Generator<Place, undefined> | undefined;

  constructor(plan: Plan | undefined) {
    this.#places = plan === undefined ? undefined : placesOf(plan);
  }

  /** What a simulation calls with each hypercall. */
  readonly observe = (call: Hypercall, answer: number | undefined, endNs: number): void => {
    const { atNs, name, occurrence, domid } = call;
    const place = ofNoStep.has(name) ? undefined : this.#places?.next().value;
    this.calls.push({
      ...{ atNs, endNs, step: place?.step ?? 0, operation: place?.operation ?? 0 },
      ...{ hypercall: name, occurrence, domid, details: call.details(), answer },
    });
  };

  /** A line for each hypercall, each step under a heading of its own. */
  lines(plan: Plan | undefined): readonly string[] {
    let step = -1;
    return this.calls.flatMap((call) => {
      const heading = call.step === step ? [] : [this.#heading(call, plan)];
      step = call.step;
      return [...heading, traceLine(call)];
    });
  }

  #heading({ step, hypercall }: TracedCall, plan: Plan | undefined): string {
    if (hypercall === "drop") return "at the beginning";
    const index = plan?.steps[step - 1]?.domain;
    const domain = index === undefined ? undefined : plan?.domains[index]?.name;
    return domain === undefined ? "at the end" : `step ${step}, domain ${domain}`;
  }
}

function traceLine(call: TracedCall): string {
  const time = `${(call.atNs / 1e6).toFixed(6)} ms`.padStart(18);
  const where = call.operation === 0 ? "" : `operation ${call.operation}`;
  const domain = call.domid === 0 ? "" : ` d${call.domid}`;
  const details = call.details === "" ? "" : ` ${call.details}`;
  const what = `${call.hypercall}:${call.occurrence}${domain}${details}`;
  return `${time}  ${where.padEnd(14)}  ${what}${answerText(call)}`;
}

function answerText({ answer, hypercall }: TracedCall): string {
  if (answer === undefined) return "";
  if (answer < 0) return ` → ${errnoName(-answer)}`;
  return answer === 0 && hypercall !== "populate" ? "" : ` → ${answer}`;
}
