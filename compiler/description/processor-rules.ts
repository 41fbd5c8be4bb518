// SPDX-License-Identifier: Apache-2.0
// What can be wrong with CPUs and CPU pools.

import type { RuleText } from "../diagnostics/rules.js";
import { FIRST_POOL, MAX_NAME_LENGTH } from "./limits.js";

/** Of single values. */
export const processorValueRules = {
  DOMB1051: {
    slug: "no-cpu",
    title: "A list of CPUs is empty",
    severity: "error",
    explanation: "A domain that may run on no CPU never runs, and a pool without one runs nobody.",
    example: "pools: { realtime: { cpus: [] } }",
  },
  DOMB1052: {
    slug: "bad-pool-name",
    title: "A CPU pool's name is not possible",
    severity: "error",
    explanation: `A name is a letter first, then letters, digits, dots, hyphens and underscores, at most ${MAX_NAME_LENGTH} in all. ${FIRST_POOL} is Xen's own.`,
    example: "pools: { my pool: { cpus: [2] } }",
  },
} as const satisfies Record<string, RuleText>;

/** Of values that don't go together. */
export const processorRules = {
  DOMB2301: {
    slug: "unknown-pool",
    title: "A domain is to run in a CPU pool that there is not",
    severity: "error",
    explanation: `A launch has the CPU pools that its description names under \`pools\`, and ${FIRST_POOL}.`,
    example: "pool: realtime, where there are no pools",
  },
  DOMB2302: {
    slug: "cpu-named-twice",
    title: "A CPU is named twice",
    severity: "error",
    explanation:
      "A CPU is in one pool, and naming it a second time in a list adds nothing, so that probably another one is meant.",
    example: "pools: { a: { cpus: [2] }, b: { cpus: [2] } }",
  },
  DOMB2303: {
    slug: "no-such-cpu",
    title: "The host has no such CPU",
    severity: "error",
    explanation: "`host.cpus` says how many there are; Xen counts them from 0.",
    example: "cpus: [4] with host: { cpus: 4 }",
  },
  DOMB2304: {
    slug: "cpu-0-in-a-pool",
    title: "CPU 0 is to be in a CPU pool",
    severity: "error",
    explanation: `Xen keeps CPU 0 in ${FIRST_POOL}, and on it what it does for the whole host. The boot domain, and every domain that names no pool, can run there.`,
    example: "pools: { realtime: { cpus: [0, 1] } }",
  },
  DOMB2305: {
    slug: "cpu-of-another-pool",
    title: "A domain is to run on a CPU that is not of its pool",
    severity: "error",
    explanation: "A CPU runs the domains of its pool, and no other.",
    example: "cpus: [0] and pool: realtime, which has the CPUs 2 and 3",
  },
  DOMB2306: {
    slug: "too-few-cpus-to-pin",
    title: "There are too few CPUs to pin each vCPU to one",
    severity: "error",
    explanation:
      "With `pinned: true` vCPU N runs on the CPU that `cpus` names as N-th, and only there.",
    example: "cpus: [2] with vcpus: 2 and pinned: true",
  },
  DOMB2307: {
    slug: "key-without-meaning-to-scheduler",
    title: "A scheduler does not know what a key says",
    severity: "error",
    explanation:
      "Weight and cap are of the credit schedulers. The null scheduler gives each vCPU a CPU of the pool for itself, whichever is free, so that there is nothing to share or to choose.",
    example: "weight: 512 in a pool with the scheduler rtds",
  },
  DOMB2308: {
    slug: "null-pool-full",
    title: "A null scheduler has more vCPUs than CPUs",
    severity: "error",
    explanation:
      "The null scheduler gives each vCPU a CPU for itself; one for which there is none would never run.",
    example: 'vcpus: 2 in pools: { fast: { cpus: [2], scheduler: "null" } }',
  },
  DOMB2309: {
    slug: "cap-beyond-vcpus",
    title: "A cap is more than a domain can use",
    severity: "error",
    explanation: "A cap is in percent of one CPU, and a vCPU uses one CPU at a time.",
    example: "cap: 150 with vcpus: 1",
  },
  DOMB2310: {
    slug: "recovery-in-a-pool",
    title: "The recovery domain is to run in a CPU pool",
    severity: "error",
    explanation: `The recovery domain runs when the others' plan is refused or has failed, and which pools there are then is not certain: it runs in ${FIRST_POOL}.`,
    example: "domains: { rescue: { roles: [recovery], pool: realtime, … } }",
  },
} as const satisfies Record<string, RuleText>;
