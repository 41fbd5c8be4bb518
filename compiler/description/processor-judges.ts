// SPDX-License-Identifier: Apache-2.0
// What is wrong with one value about physical CPUs, told in words.

import {
  choiceFault,
  isMapping,
  missing,
  notText,
  show,
  type ValueFault,
  wholeNumberFault,
  wrongType,
} from "./judges.js";
import {
  DOMAIN_NAME_PATTERN,
  FIRST_POOL,
  MAX_CPU,
  MAX_HOST_CPUS,
  MAX_NAME_LENGTH,
  MAX_WEIGHT,
} from "./limits.js";

/** Schedulers of a CPU pool: those that Xen is built with. */
export const schedulers = ["credit2", "credit", "rtds", "null"] as const;

export type Scheduler = (typeof schedulers)[number];

/** How many CPUs the host has. */
export function hostCpusFault(value: unknown): ValueFault | undefined {
  return wholeNumberFault(value, 1, MAX_HOST_CPUS, "cpus: 4");
}

/** A list of physical CPUs, of which cpuFault() looks at each. */
export function cpusFault(value: unknown): ValueFault | undefined {
  const example = `cpus: [${typeof value === "number" ? value : "2, 3"}]`;
  const wanted = "a list of numbers of physical CPUs";
  if (value === undefined) return missing(wanted, example);
  if (!Array.isArray(value)) {
    return wrongType(value, wanted, `Write, for example, \`${example}\`.`);
  }
  if (value.length > 0) return undefined;
  return {
    code: "DOMB1051",
    predicate: "names no CPU; wanted: at least one",
    fix: `Write, for example, \`${example}\`, or remove the key where it is optional.`,
  };
}

/** The number of a physical CPU, as Xen counts them. */
export function cpuFault(value: unknown): ValueFault | undefined {
  return wholeNumberFault(value, 0, MAX_CPU, "cpus: [2, 3]");
}

/** Whether each vCPU has a CPU of its own. */
export function pinnedFault(value: unknown): ValueFault | undefined {
  if (typeof value === "boolean") return undefined;
  return wrongType(value, "true or false", "Write `true` or `false`, without quotes.");
}

/** A domain's weight. */
export function weightFault(value: unknown): ValueFault | undefined {
  return wholeNumberFault(value, 1, MAX_WEIGHT, "weight: 512");
}

/** The most that a domain gets, in percent of a CPU. */
export function capFault(value: unknown): ValueFault | undefined {
  return wholeNumberFault(value, 0, MAX_WEIGHT, "cap: 50");
}

/** The pool that a domain runs in; whether there is one of this name is not known here. */
export function poolFault(value: unknown): ValueFault | undefined {
  return typeof value === "string"
    ? undefined
    : notText(value, "the name of a CPU pool", "pool: realtime");
}

/** The CPU pools by name. */
export function poolsFault(value: unknown): ValueFault | undefined {
  if (isMapping(value)) return undefined;
  const example = "pools: { realtime: { cpus: [2, 3] } }";
  return wrongType(
    value,
    "a mapping from names to CPU pools",
    `Write, for example, \`${example}\`.`,
  );
}

/** One CPU pool. */
export function onePoolFault(value: unknown): ValueFault | undefined {
  if (isMapping(value)) return undefined;
  const wanted = "a mapping with the keys cpus and scheduler";
  return wrongType(value, wanted, "Write, for example, `{ cpus: [2, 3], scheduler: credit2 }`.");
}

/** The name of a CPU pool. */
export function poolNameFault(name: string): ValueFault | undefined {
  if (name === FIRST_POOL) {
    return {
      code: "DOMB1052",
      predicate: `is ${show(name)}, which Xen makes itself, of the CPUs that are in no other`,
      fix: "Leave it out, or choose another name.",
    };
  }
  if (DOMAIN_NAME_PATTERN.test(name)) return undefined;
  const length = name.length > MAX_NAME_LENGTH ? `, ${name.length} characters` : "";
  return {
    code: "DOMB1052",
    predicate: `is ${show(name)}${length}; wanted: at most ${MAX_NAME_LENGTH} letters, digits, dots, hyphens and underscores, a letter first`,
    fix: "Choose another name.",
  };
}

/** The scheduler of a CPU pool. */
export function schedulerFault(value: unknown): ValueFault | undefined {
  if (value !== null) return choiceFault(schedulers)(value);
  // YAML reads `null` as no value.
  return wrongType(
    value,
    "a scheduler",
    'Write `"null"`, in quotes, if the null scheduler is meant.',
  );
}
