// SPDX-License-Identifier: Apache-2.0
// What a launch really does on the model, to hold against the upper bounds of its plan.

import type { Plan } from "../compiler/plan/plan.js";
import { longestStep, workOfLaunch } from "../compiler/plan/work.js";
import { simulateLaunch } from "./simulate.js";
import { Trace } from "./trace.js";

/** One quantity of a launch: the plan's upper bound, and what the simulator measured. */
export interface Bounded {
  readonly what: string;
  readonly bound: number;
  readonly measured: number;
  readonly unit: string;
}

const freePages = 0x1000000;

/** Runs a launch that goes well. Throws when it does not. */
export function measureWork(image: Uint8Array, plan: Plan, wasm: WebAssembly.Module): Bounded[] {
  const trace = new Trace(plan);
  const ticks: number[] = [];
  const { receipt, hypercalls, imageBytesRead } = simulateLaunch(image, {
    ...{ wasm, freePages },
    observe: trace.observe,
    between: ({ machine, xen }) => ({
      machine: {
        ...machine,
        clock: () => {
          const now = machine.clock();
          ticks.push(Number(now));
          return now;
        },
      },
      xen,
    }),
  });
  if (receipt.status !== 0) throw new Error(`the launch ended with status ${receipt.status}`);
  // The clock is read when the launch begins, then when its first operation does.
  let end = ticks[1] ?? 0;
  const times = plan.steps.map((_, index) => {
    const last = trace.calls.findLast(({ step }) => step === index + 1)?.endNs ?? end;
    const time = last - end;
    end = last;
    return time;
  });
  const work = workOfLaunch(plan);
  const milliseconds = (nanoseconds: number): number => Math.round(nanoseconds / 1000) / 1000;
  return [
    { what: "hypercalls", bound: work.hypercalls, measured: hypercalls, unit: "" },
    {
      what: "image read",
      bound: work.imageBytes,
      measured: imageBytesRead,
      unit: "bytes",
    },
    {
      what: "longest step",
      bound: milliseconds(longestStep(plan).nanoseconds),
      measured: milliseconds(Math.max(0, ...times)),
      unit: "ms of the model's",
    },
  ];
}
