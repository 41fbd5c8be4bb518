// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: [
      "{contract,bootdomain,hypervisor,xen-model,compiler,simulator,media,lab,report,cli,setup,guests,docs,benchmarks,examples}/**/*.test.ts",
    ],
    testTimeout: process.env.DOMB_LONG_TESTS === undefined ? 600_000 : 3_600_000,
    hookTimeout: 600_000,
    // Most of the time is QEMU's, which takes one core.
    maxWorkers: "100%",
  },
});
