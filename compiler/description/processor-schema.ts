// SPDX-License-Identifier: Apache-2.0
// The schema of what a description says about physical CPUs: which there are, which pools they are
// in, and where and for how long each domain runs.

import { z } from "zod";
import { judged } from "./judged.js";
import { DOMAIN_NAME_PATTERN, FIRST_POOL, MAX_CPU, MAX_HOST_CPUS, MAX_WEIGHT } from "./limits.js";
import {
  capFault,
  cpuFault,
  cpusFault,
  hostCpusFault,
  onePoolFault,
  pinnedFault,
  poolFault,
  poolsFault,
  schedulerFault,
  schedulers,
  weightFault,
} from "./processor-judges.js";

const cpuList = (description: string) =>
  judged(
    z
      .array(judged(z.int().min(0).max(MAX_CPU), cpuFault))
      .min(1)
      .meta({ description, uniqueItems: true, examples: [[2, 3]] }),
    cpusFault,
  );

/** The key `cpus` of `host`. */
export const hostCpusSchema = judged(
  z
    .int()
    .min(1)
    .max(MAX_HOST_CPUS)
    .meta({
      description:
        "How many CPUs the host has, as Xen counts them from 0: a launch that names others is refused.",
      examples: [4],
    }),
  hostCpusFault,
).optional();

/** The keys of a domain. */
export const processorShape = {
  cpus: cpuList(
    "The physical CPUs on which its vCPUs may run; by default all of its pool.",
  ).optional(),
  pinned: judged(
    z.boolean().meta({
      description:
        "Does each vCPU run on one CPU alone: vCPU N on the one that `cpus` names as N-th.",
    }),
    pinnedFault,
  ).default(false),
  weight: judged(
    z
      .int()
      .min(1)
      .max(MAX_WEIGHT)
      .meta({
        description:
          "Its share of its pool's CPUs when they don't suffice, beside others' weights; by default " +
          "Xen's, 256. Only with the schedulers credit2 and credit.",
        examples: [512],
      }),
    weightFault,
  ).optional(),
  cap: judged(
    z
      .int()
      .min(0)
      .max(MAX_WEIGHT)
      .meta({
        description:
          "The most CPU time that it gets, in percent of one CPU; 0, the default: no limit. Only with " +
          "the schedulers credit2 and credit.",
        examples: [50],
      }),
    capFault,
  ).optional(),
  pool: judged(
    z.string().meta({
      description: `The CPU pool that it runs in, by default ${FIRST_POOL}: the CPUs that are in no other.`,
      examples: ["realtime"],
    }),
    poolFault,
  ).default(FIRST_POOL),
};

export const poolSchema = z
  .strictObject({
    cpus: cpuList(
      "Its physical CPUs, which run nothing but the domains of this pool; never CPU 0.",
    ),
    scheduler: judged(
      z.enum(schedulers).meta({
        description:
          'Its scheduler. `"null"`, which YAML wants in quotes, gives each vCPU a CPU for itself.',
      }),
      schedulerFault,
    ).default("credit2"),
  })
  .meta({ description: "One CPU pool." });

/** The key `pools`. Names are judged with the rules between values. */
export const poolsSchema = judged(
  z
    .record(
      z.string().meta({ pattern: DOMAIN_NAME_PATTERN.source }),
      judged(poolSchema, onePoolFault),
    )
    .meta({ description: "Static partitions of the host's CPUs, by name." }),
  poolsFault,
).default({});
