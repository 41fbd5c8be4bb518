// SPDX-License-Identifier: Apache-2.0
// The upper bound of a plan's work: exact for a launch that goes well but for what its undoing would
// take, and never less than what a launch does.

import { describe, expect, it } from "vitest";
import { compiledFile } from "../../lab/lab-bench.js";
import { loadBootDomain, simulateLaunch } from "../../simulator/simulate.js";
import { workOfLaunch, workOfStep } from "./work.js";

describe("the work of a plan", () => {
  it("is what its launch does, and the undoing of every domain", async () => {
    const { image, plan } = await compiledFile("simulator/launches/pair.yaml");
    const wasm = await loadBootDomain();
    const { hypercalls, imageBytesRead } = simulateLaunch(image, { wasm, freePages: 0x4000 });
    const work = workOfLaunch(plan);
    expect(work.hypercalls).toBe(hypercalls + plan.domains.length);
    expect(work.imageBytes).toBe(imageBytesRead);
  });

  it("counts each page once for each operation on it", async () => {
    const { plan } = await compiledFile("simulator/launches/pair.yaml");
    const { populatedPages, copiedPages } = workOfLaunch(plan);
    expect(populatedPages).toBe((2 + 4) * 256);
    expect(copiedPages).toBe(4);
    const steps = plan.steps.map((step) => workOfStep(plan, step).copiedPages);
    expect(steps.reduce((sum, pages) => sum + pages, 0)).toBe(copiedPages);
  });
});
