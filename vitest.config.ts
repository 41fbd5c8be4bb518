// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: [
      "{contract,bootdomain,hypervisor,xen-model,compiler,simulator,lab,cli,setup,guests,docs,benchmarks,examples}/**/*.test.ts",
    ],
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
});
