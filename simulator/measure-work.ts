// SPDX-License-Identifier: Apache-2.0
// What a launch really does on the model, to hold against the upper bounds of its plan.

import type { Plan } from "../compiler/plan/plan.js";
import { longestStep, workOfLaunch } from "../compiler/plan/work.js";
import { asPlanned } from "./behaviours.js";
import { machineOf } from "./machine.js";
import { simulateLaunch } from "./simulate.js";

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
  const { receipt, hypercalls, imageBytesRead } = simulateLaunch(image, {
    ...{ wasm, machine: machineOf(image), freePages, behaviourOf: asPlanned(plan) },
  });
  if (receipt.status !== 0) throw new Error(`the launch ended with status ${receipt.status}`);
  // A tick of the simulator's clock is a nanosecond.
  const times = receipt.steps.map(({ beganAt, endedAt }) => endedAt - beganAt);
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
