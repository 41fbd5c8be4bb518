// SPDX-License-Identifier: Apache-2.0
// What is wrong with one value that says in which order domains start, told in words.

import { MAX_READY_WITHIN } from "../../contract/limits.js";
import { type DurationUnit, durationUnits, formatDuration, parseDuration } from "./duration.js";
import {
  choiceFault,
  isMapping,
  missing,
  notText,
  show,
  type ValueFault,
  wrongType,
} from "./judges.js";

/** What lets a domain's dependants start. */
export const readinesses = ["started", "signalled", "finished"] as const;

/** What a domain's failure means for the launch. */
export const failures = ["abort", "continue", "recover"] as const;

/** A list of names, the value of `key`, of which nameFault() looks at each. */
export function namesFault(key: string) {
  return (value: unknown): ValueFault | undefined => {
    if (Array.isArray(value)) return undefined;
    const wanted = "a list of names of domains";
    const example = typeof value === "string" ? `${key}: [${value}]` : `${key}: [storage]`;
    if (value === undefined) return missing(wanted, example);
    return wrongType(value, wanted, `Write, for example, \`${example}\`.`);
  };
}

/** The name of a domain that is meant; whether there is one is not known here. */
export function nameFault(value: unknown): ValueFault | undefined {
  return typeof value === "string" ? undefined : notText(value, "the name of a domain", "storage");
}

/** What makes a domain ready, and within which time. */
export function readyFault(value: unknown): ValueFault | undefined {
  if (isMapping(value)) return undefined;
  const known = readinesses.find((when) => when === value) ?? "signalled";
  const wanted = "a mapping with the keys when and within";
  return wrongType(value, wanted, `Write, for example, \`ready: { when: ${known} }\`.`);
}

/** What makes a domain ready. */
export function whenFault(value: unknown): ValueFault | undefined {
  return value === undefined
    ? missing(readinesses.join(", ").replace(/, (?=\w+$)/, " or "), "when: signalled")
    : choiceFault(readinesses)(value);
}

/** A time limit. */
export function withinFault(value: unknown): ValueFault | undefined {
  const units = (Object.keys(durationUnits) as DurationUnit[]).join(", ");
  if (typeof value !== "string" && typeof value !== "number") {
    return notText(value, "a time with a unit", "within: 5 s");
  }
  const time = parseDuration(String(value));
  if (!time.ok) {
    return {
      code: "DOMB1041",
      predicate: `is ${show(value)}; wanted: a whole decimal number and one of ${units}`,
      fix:
        time.meant === undefined
          ? "Write, for example, `5 s`."
          : `Write \`${time.meant}\`, if that is meant.`,
    };
  }
  if (time.milliseconds >= 1 && time.milliseconds <= MAX_READY_WITHIN) return undefined;
  return {
    code: "DOMB1042",
    predicate: `is ${value}; wanted: from 1 ms to ${formatDuration(MAX_READY_WITHIN)}`,
    fix: time.milliseconds < 1 ? "Give it some time." : "Give it less.",
  };
}
