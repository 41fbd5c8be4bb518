// SPDX-License-Identifier: Apache-2.0
// A launch does no more than its plan's bounds say, and not much less: they are worth knowing.

import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { compiledFile } from "../lab/lab-bench.js";
import { paths } from "../setup/paths.js";
import { measureWork } from "./measure-work.js";
import { loadBootDomain } from "./simulate.js";

describe("the bounds of a plan", () => {
  it.each([
    "simulator/launches/pair.yaml",
    "simulator/launches/ramdisk.yaml",
    "examples/hello/launch.yaml",
    "examples/linux-and-hello/launch.yaml",
  ])("hold for %s, and are near", async (file) => {
    const { image, plan } = await compiledFile(join(paths.checkout, file));
    for (const { what, bound, measured } of measureWork(image, plan, await loadBootDomain())) {
      expect(measured, what).toBeLessThanOrEqual(bound);
      expect(measured, what).toBeGreaterThan(0.8 * bound);
    }
  });
});
