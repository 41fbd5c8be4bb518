// SPDX-License-Identifier: Apache-2.0
// What can be wrong between a domain's memory and what has to lie in it.

import { MAX_COMMAND_LINE_BYTES } from "../description/limits.js";
import { defineRules } from "../diagnostics/rules.js";

export const guestRules = defineRules({
  DOMB4001: {
    slug: "memory-too-small",
    title: "a domain's memory does not hold its kernel and ramdisk",
    severity: "error",
    explanation:
      "Kernel, ramdisk and start of day must lie in the domain's memory below 0xf0000000, or on " +
      "arm64 below 4 GiB. The " +
      "kernel lies where it was linked to lie; the rest goes behind it, or below it if there is " +
      "no room.",
    example: "memory: 32 MiB with a kernel that ends at 62 MiB",
  },
  DOMB4002: {
    slug: "kernel-address",
    title: "a kernel lies where no domain has memory",
    severity: "error",
    explanation:
      "A domain has no memory from 0xf0000000 to 4 GiB, however much it has in all: there lie its " +
      "interrupt controller and Xen's pages. A kernel can't be moved.",
    example: "a kernel that is linked at 0xff000000",
  },
  DOMB4003: {
    slug: "vcpus",
    title: "a domain has more vCPUs than it can have there",
    severity: "error",
    explanation:
      "On arm64 a domain's interrupt controller is of the board's version: a GICv3 serves 128 vCPUs, " +
      "a GICv2 serves 8.",
    example: "vcpus: 9 with a board that has a GICv2",
  },
  DOMB4011: {
    slug: "link-memory",
    title: "a domain has not the memory that its links take",
    severity: "error",
    explanation:
      "Shared memory is the first writer's own: the top of its memory, which its kernel then leaves " +
      "alone. Each link lies in one piece.",
    example: "memory: 32 MiB with a link of 64 MiB",
  },
  DOMB4012: {
    slug: "told-too-much",
    title: "a command line has no room for what a domain is told of its links",
    severity: "error",
    explanation: `Behind its own command line a domain is told of its links and of how it signals that it is ready; together that is at most ${MAX_COMMAND_LINE_BYTES} bytes, of which Linux keeps no more.`,
    example: "a domain with 100 links",
  },
  DOMB4013: {
    slug: "grant-tables",
    title: "a domain's links take more of Xen's memory than they may",
    severity: "error",
    explanation:
      "Xen keeps an entry for each page that a domain shares, once for itself and once for each other " +
      "domain of the link, and one for each page that it maps.",
    example: "64 links of 64 MiB with five domains each",
  },
});
