// SPDX-License-Identifier: Apache-2.0
// The tasks that package.json names: what each needs, in order, and what it then runs.

import { join } from "node:path";
import { prepareControlRamdisk } from "./control-ramdisk.js";
import { prepareExampleRamdisks } from "./example-ramdisks.js";
import { prepareArm64GuestKernel, prepareGuestKernel } from "./guest-kernel.js";
import { prepareArm64GuestRamdisk, prepareGuestRamdisk } from "./guest-ramdisk.js";
import { prepareNpmPackages } from "./npm-packages.js";
import { preparePackages } from "./packages.js";
import { paths } from "./paths.js";
import { prepareProject } from "./project-build.js";
import {
  prepareArm64Xen,
  prepareBootDomainOnlyXen,
  prepareComparedXens,
  prepareUnpatchedArm64Xen,
  prepareXen,
} from "./xen-build.js";
import { prepareUpstreamXen } from "./xen-upstream.js";

/** @typedef {(setUp: import("./child.js").SetUp) => Promise<import("./outcome.js").Outcome<unknown>>} Preparation */

/**
 * A task; `command` are the parameters of Node, to which the task's own are added; none: the
 * preparation is all of it.
 *
 * @typedef {object} Task
 * @property {string} summary
 * @property {readonly Preparation[]} preparations
 * @property {readonly string[]} [command]
 * @property {Readonly<Record<string, string>>} [environment]
 */

/** @type {readonly Preparation[]} */
const everything = [
  (setUp) => preparePackages(setUp),
  prepareNpmPackages,
  prepareXen,
  prepareArm64Xen,
  prepareUpstreamXen,
  prepareGuestKernel,
  prepareArm64GuestKernel,
  prepareGuestRamdisk,
  prepareArm64GuestRamdisk,
  prepareControlRamdisk,
  prepareExampleRamdisks,
  prepareProject,
];

/** @type {readonly Preparation[]} */
const everyXen = [...everything, prepareBootDomainOnlyXen, prepareUnpatchedArm64Xen];

const vitest = [join(paths.nodeModules, "vitest", "vitest.mjs"), "run"];

/** @type {Readonly<Record<string, Task>>} */
export const tasks = {
  demo: {
    summary: "boot examples/two-linux: two Linux domains on Xen, by a boot domain that exits",
    preparations: everything,
    command: [
      join(paths.dist, "cli", "main.js"),
      "boot",
      join(paths.checkout, "examples", "two-linux", "launch.yaml"),
    ],
  },
  "demo:secure": {
    summary: "show that firmware with Secure Boot starts a signed launch, and no other",
    preparations: everything,
    command: [join(paths.dist, "lab", "boot-media", "demo.js")],
  },
  test: {
    summary: "run the tests",
    preparations: [...everyXen, prepareComparedXens],
    command: vitest,
  },
  "test:long": {
    summary:
      "run the simulator's tests at length: a million fuzzed images, 100,000 random launches, every fault",
    preparations: everything,
    command: [
      ...vitest,
      "--reporter=verbose",
      "simulator/fuzz.test.ts",
      "simulator/every-fault.test.ts",
      "simulator/random/random-launches.test.ts",
    ],
    environment: {
      ...{ DOMB_FUZZ_CASES: "1000000", DOMB_RANDOM_LAUNCHES: "100000" },
      DOMB_LONG_TESTS: "1",
    },
  },
  coverage: {
    summary: "say which lines and branches of the boot domain the simulator's launches reach",
    preparations: everything,
    command: [join(paths.dist, "simulator", "coverage", "run.js")],
  },
  bench: {
    summary: "measure sizes and times",
    preparations: everyXen,
    command: [join(paths.dist, "benchmarks", "run.js")],
  },
  docs: {
    summary: "write the generated pages of docs/",
    preparations: everything,
    command: [join(paths.dist, "docs", "generate.js")],
  },
  build: { summary: "build everything, run nothing", preparations: everyXen },
  digests: {
    summary: "build what every launch is started with, and print its digests",
    preparations: [
      (setUp) => preparePackages(setUp),
      prepareNpmPackages,
      prepareXen,
      prepareArm64Xen,
      prepareProject,
    ],
    command: [join(paths.dist, "cli", "main.js"), "--version"],
  },
  "xen-4.23": {
    summary: "build upstream's Xen 4.23 alone, from the archive that DOMB_XEN_UPSTREAM names",
    preparations: [(setUp) => preparePackages(setUp), prepareUpstreamXen],
  },
};
