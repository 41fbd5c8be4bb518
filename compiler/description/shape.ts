// SPDX-License-Identifier: Apache-2.0
// A value against the schema: zod's issues become diagnostics with their places. Every fault is
// reported but the ones that only follow from another, as a key that is missing since it is misspelt.

import type { z } from "zod";
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import { show, type ValueFault } from "./judges.js";
import { laterDomainKeys } from "./later-keys.js";
import { nearestName } from "./nearest-name.js";
import { type Path, type Places, subjectOf } from "./places.js";
import { poolSchema } from "./processor-schema.js";
import { type DescriptionCode, descriptionRules } from "./rules.js";
import {
  domainSchema,
  hostSchema,
  launchSchema,
  linkSchemas,
  type ParsedLaunch,
  policySchema,
  readySchema,
} from "./schema.js";

export interface Shape {
  /** Undefined when something is wrong. */
  readonly launch: ParsedLaunch | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

const launchKeys = Object.keys(launchSchema.shape);
const domainKeys = Object.keys(domainSchema.shape);
const policyKeys = Object.keys(policySchema.shape);
const hostKeys = Object.keys(hostSchema.shape);
const readyKeys = Object.keys(readySchema.shape);
const poolKeys = Object.keys(poolSchema.shape);

/** A diagnostic of `fault` of the value at `path`. */
export function diagnoseFault(fault: ValueFault, path: Path, places: Places): Diagnostic {
  return descriptionRules.diagnose(fault.code, {
    // A missing value has no line of its own: it gets that of the key of what lacks it.
    place:
      fault.code === "DOMB1013"
        ? { ...places.ofKey(path.slice(0, -1)), path }
        : places.ofValue(path),
    message: `${subjectOf(path)} ${fault.predicate}`,
    fix: fault.fix,
  });
}

/** Checks `value` against the schema. */
export function checkShape(value: unknown, places: Places): Shape {
  const parsed = launchSchema.safeParse(value);
  if (parsed.success) return { launch: parsed.data, diagnostics: [] };
  const misspelt = new Set<string>();
  const diagnostics: Diagnostic[] = [];
  for (const issue of parsed.error.issues) {
    if (issue.code !== "unrecognized_keys") continue;
    for (const key of issue.keys) {
      const path = [...(issue.path as Path), key];
      const { code, message, fix, meant } = unknownKey(value, path, key);
      if (meant !== undefined) misspelt.add(JSON.stringify([...(issue.path as Path), meant]));
      diagnostics.push(
        descriptionRules.diagnose(code, { place: places.ofKey(path), message, fix }),
      );
    }
  }
  for (const issue of parsed.error.issues) {
    const path = issue.path as Path;
    if (issue.code === "unrecognized_keys" || misspelt.has(JSON.stringify(path))) continue;
    diagnostics.push(diagnoseFault(faultOf(issue, value), path, places));
  }
  return { launch: undefined, diagnostics };
}

function faultOf(issue: z.core.$ZodIssue, whole: unknown): ValueFault {
  if (issue.code === "custom") return issue.params?.fault as ValueFault;
  // All else are the two levels that hold others: not a mapping, or not there.
  const found = valueAt(whole, issue.path);
  const wanted =
    issue.path.length === 1
      ? "a mapping from names to domains"
      : `a mapping with keys such as ${(issue.path.length === 0 ? launchKeys : domainKeys).join(", ")}`;
  return found === undefined
    ? { code: "DOMB1013", predicate: `is missing; wanted: ${wanted}`, fix: "Add it." }
    : {
        code: "DOMB1014",
        predicate: `is ${show(found)}; wanted: ${wanted}`,
        fix: "Put the keys below it, indented, each with its value.",
      };
}

/** The value that `path` leads to in `whole`. */
function valueAt(whole: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (around, key) => (around as Record<PropertyKey, unknown>)[key],
    whole,
  );
}

interface UnknownKey {
  readonly code: DescriptionCode;
  readonly message: string;
  readonly fix: string;
  /** The key that works and was probably meant. */
  readonly meant?: string;
}

/** The keys that work where `path` leads in `whole`, and those that are to come. */
function keysBeside(
  whole: unknown,
  path: Path,
): {
  readonly keys: readonly string[];
  readonly later: Readonly<Record<string, string>>;
} {
  if (path.length === 1) return { keys: launchKeys, later: {} };
  if (path[0] === "policy") return { keys: policyKeys, later: {} };
  if (path[0] === "host") return { keys: hostKeys, later: {} };
  if (path[0] === "pools") return { keys: poolKeys, later: {} };
  if (path[0] === "links") {
    const { kind } = valueAt(whole, path.slice(0, -1)) as { kind: keyof typeof linkSchemas };
    return { keys: Object.keys(linkSchemas[kind].shape), later: {} };
  }
  if (path[2] === "ready" && path.length > 3) return { keys: readyKeys, later: {} };
  return { keys: domainKeys, later: laterDomainKeys };
}

function unknownKey(whole: unknown, path: Path, key: string): UnknownKey {
  const owner = subjectOf(path.slice(0, -1));
  const { keys, later } = keysBeside(whole, path);
  if (Object.hasOwn(later, key)) {
    return {
      code: "DOMB1012",
      message: `${key} of ${owner}: not yet; this key will say ${later[key]}`,
      fix: "Remove it, if the launch is right without.",
    };
  }
  if (key === "<<") {
    return {
      code: "DOMB1005",
      message: `${owner} has the key <<, which merges nothing in YAML 1.2`,
      fix: "Write the keys out, or share them with defineLaunch() in TypeScript.",
    };
  }
  const message = `${owner} has the unknown key ${show(key)}`;
  if (path.length === 1 && domainKeys.includes(key)) {
    return { code: "DOMB1011", message, fix: `Move ${key} into a domain, below \`domains\`.` };
  }
  const meant = nearestName(key, keys);
  const near = meant ?? nearestName(key, Object.keys(later));
  return {
    code: "DOMB1011",
    message,
    fix:
      near === undefined
        ? `Remove it; the keys are ${keys.join(", ")}.`
        : `Did you mean \`${near}\`?`,
    ...(meant === undefined ? {} : { meant }),
  };
}
