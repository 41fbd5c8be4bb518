// SPDX-License-Identifier: Apache-2.0
// What is wrong with one value of a link between domains, told in words.

import {
  choiceFault,
  isMapping,
  missing,
  notText,
  show,
  sizeFault,
  type ValueFault,
  wrongType,
} from "./judges.js";
import { DOMAIN_NAME_PATTERN, MAX_LINK_BYTES, MAX_NAME_LENGTH } from "./limits.js";
import { namesFault } from "./order-judges.js";

/** Kinds of links. */
export const linkKinds = ["event-channel", "shared-memory"] as const;

/** The list of links, of which linkFault() looks at each. */
export function linksFault(value: unknown): ValueFault | undefined {
  if (Array.isArray(value)) return undefined;
  const example = "links: [{ kind: event-channel, name: bell, between: [storage, web] }]";
  return wrongType(value, "a list of links", `Write, for example, \`${example}\`.`);
}

/** One link, as far as its kind: that says which other keys it has. */
export function linkFault(value: unknown): ValueFault | undefined {
  const example = `kind: ${linkKinds[0]}`;
  if (!isMapping(value)) {
    const wanted = "a mapping with keys such as kind and name";
    return wrongType(value, wanted, `Begin it with \`${example}\`.`);
  }
  const fault =
    value.kind === undefined
      ? missing(linkKinds.join(" or "), example)
      : choiceFault(linkKinds)(value.kind);
  return fault && { ...fault, key: "kind" };
}

/** The name of a link. */
export function linkNameFault(value: unknown): ValueFault | undefined {
  if (typeof value !== "string") return notText(value, "the link's name", "name: bell");
  if (DOMAIN_NAME_PATTERN.test(value)) return undefined;
  const length = value.length > MAX_NAME_LENGTH ? `, ${value.length} characters` : "";
  return {
    code: "DOMB1043",
    predicate: `is ${show(value)}${length}; wanted: at most ${MAX_NAME_LENGTH} letters, digits, dots, hyphens and underscores, a letter first`,
    fix: "Choose another name.",
  };
}

/** The two parties of an event channel. */
export function betweenFault(value: unknown): ValueFault | undefined {
  const fault = namesFault("between")(value);
  if (fault !== undefined || (value as unknown[]).length === 2) return fault;
  return {
    code: "DOMB2202",
    predicate: `has ${countOf(value)}; wanted: two, the first of which opens the channel`,
    fix: "Name two domains; make a link for each pair.",
  };
}

/** Who may write to a link's memory. */
export function writersFault(value: unknown): ValueFault | undefined {
  const fault = namesFault("writers")(value);
  if (fault !== undefined || (value as unknown[]).length > 0) return fault;
  return {
    code: "DOMB2202",
    predicate: `has ${countOf(value)}; wanted: one at least, the first of which gives its memory`,
    fix: "Name the domain whose memory it is.",
  };
}

function countOf(value: unknown): string {
  const { length } = value as unknown[];
  return length === 0 ? "no domain" : length === 1 ? "one domain" : `${length} domains`;
}

/** The size of a link's memory. */
export const linkSizeFault = sizeFault({
  example: "size: 64 KiB",
  most: MAX_LINK_BYTES,
  more: "Give it a page at least.",
});
