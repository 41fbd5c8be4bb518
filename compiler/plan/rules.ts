// SPDX-License-Identifier: Apache-2.0
// What can be wrong with a launch as a whole: more than a plan, an image or a host holds.

import { defineRules } from "../diagnostics/rules.js";

export const planRules = defineRules({
  DOMB4101: {
    slug: "plan-table-full",
    title: "a launch needs more records than a plan holds",
    severity: "error",
    explanation:
      "A plan's tables have a fixed size, so that the boot domain needs no allocation. Domains " +
      "with the same kernel, ramdisk and memory share their operations.",
    example: "200 domains",
  },
  DOMB4102: {
    slug: "image-too-large",
    title: "a launch's materials do not fit in an image",
    severity: "error",
    explanation: "The boot domain holds the whole image in its memory below 2 GiB.",
    example: "three ramdisks of 1 GiB",
  },
  DOMB4103: {
    slug: "paging-pool-too-large",
    title: "a domain's paging structures take more than a plan can give",
    severity: "error",
    explanation: "The memory for a domain's paging structures grows with its memory.",
    example: "a domain of several TiB",
  },
  DOMB4104: {
    slug: "host-too-small",
    title: "a launch takes more memory than its host has",
    severity: "error",
    explanation:
      "Xen, the boot domain with the image, and all domains must fit in what `host.memory` says; " +
      "`domb check` says what takes how much.",
    example: "host: { memory: 64 MiB } with a domain of 64 MiB",
  },
});
