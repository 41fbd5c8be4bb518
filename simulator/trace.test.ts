// SPDX-License-Identifier: Apache-2.0
// A trace names for each hypercall the step and operation that the plan has it in.

import { describe, expect, it } from "vitest";
import { MACHINE_X86_64 } from "../contract/image.js";
import { injectFaults } from "./faults.js";
import { followerOf, knowledgeOf } from "./knowledge.js";
import { loadBootDomain, simulateLaunch } from "./simulate.js";
import { type BaseLaunch, baseLaunches, withPlan } from "./suite/base-launch.js";
import { planCases } from "./suite/plan-cases.js";
import { Trace } from "./trace.js";

async function traced(image: Uint8Array, faults: Parameters<typeof injectFaults>[0] = []) {
  const wasm = await loadBootDomain();
  const setting = { machine: MACHINE_X86_64 };
  const { plan } = knowledgeOf(image, setting).plans.main;
  const trace = new Trace(followerOf(image, setting));
  const inject = injectFaults(faults);
  const { receipt } = simulateLaunch(image, {
    ...{ wasm, freePages: 0x4000, inject },
    observe: trace.observe,
  });
  return { trace, plan, receipt };
}

/** The launch with its steps in reverse, each after the step that it was after. */
function reversed(base: BaseLaunch): Uint8Array {
  const count = base.plan.steps.length;
  const steps = [...base.plan.steps].reverse().map((step) => ({
    ...step,
    afterStep: step.afterStep === 0 ? 0 : count + 1 - step.afterStep,
  }));
  return withPlan(base, { steps });
}

describe("a trace", () => {
  it("has each hypercall with the operation that makes it, whatever the steps' order", async () => {
    const { two } = await baseLaunches();
    for (const image of [two.image, reversed(two)]) {
      const { trace, plan } = await traced(image);
      const own = trace.calls.filter(({ step }) => step > 0);
      expect(own.length).toBeGreaterThan(4);
      for (const { operation, hypercall, step } of own) {
        expect(plan?.operations[operation - 1]?.kind, `step ${step}`).toBe(hypercall);
      }
    }
  });

  it("ends at the place that the receipt names", async () => {
    const { one, two } = await baseLaunches();
    const failing = planCases(one, two).map(({ image }) => image);
    for (const image of failing) {
      const { trace, receipt } = await traced(image);
      const last = trace.calls.findLast(({ step }) => step > 0);
      if (receipt.error === 0 || last === undefined) continue;
      expect({ step: last.step, operation: last.operation }).toEqual({
        step: receipt.step,
        operation: receipt.operation,
      });
    }
  });

  it("reads as lines, with each step's domain above its hypercalls", async () => {
    const { two } = await baseLaunches();
    const fault = { hypercall: "copy", occurrence: 2, answer: -2, done: 0 } as const;
    const { trace } = await traced(two.image, [fault]);
    const lines = trace.lines();
    expect(lines[0]).toBe("at the beginning");
    expect(lines[2]).toBe("step 1, domain first");
    expect(lines).toContain("step 2, domain second");
    expect(lines.join("\n")).toMatch(/operation \d+ +copy:2 d2 gfn 0x\w+, 1 pages .* → ENOENT\n/);
    expect(lines.at(-1)).toMatch(/exit:1 status 9$/);
  });
});
