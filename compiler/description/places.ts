// SPDX-License-Identifier: Apache-2.0
// Where the values of a description stand, whatever it was read from, and what messages call them.

import type { Place } from "../diagnostics/diagnostic.js";
import { show } from "./judges.js";
import { DOMAIN_NAME_PATTERN } from "./limits.js";

/** Keys from the description's top, as in `["domains", "web", "memory"]`. */
export type Path = readonly (string | number)[];

/** Places of the values of one description; of the nearest around it for one that is not there. */
export interface Places {
  ofValue(path: Path): Place;
  /** The place of the key before the value; of the value itself where it has none. */
  ofKey(path: Path): Place;
}

/** Places of a description that is an object in a program: paths, and perhaps the module's file. */
export function objectPlaces(file?: string): Places {
  const of = (path: Path): Place => (file === undefined ? { path } : { file, path });
  return { ofValue: of, ofKey: of };
}

/** What has its own name in the description, by the key that holds it. */
const namedKinds: ReadonlyMap<string | number, string> = new Map([
  ["domains", "domain"],
  ["pools", "pool"],
]);

/** What a sentence calls the value at `path`: "memory of domain web". */
export function subjectOf(path: Path): string {
  const [first, name, ...keys] = path;
  if (first === undefined) return "the description";
  const kind = name === undefined ? undefined : namedKinds.get(first);
  if (kind === undefined) return joined(path);
  const text = String(name);
  const named = `${kind} ${DOMAIN_NAME_PATTERN.test(text) ? text : show(text)}`;
  return keys.length === 0 ? named : `${joined(keys)} of ${named}`;
}

/** As programs write it: `roles[0]`. */
function joined(path: Path): string {
  return path
    .map((key) => (typeof key === "number" ? `[${key}]` : `.${key}`))
    .join("")
    .slice(1);
}
