// SPDX-License-Identifier: Apache-2.0
// What can be wrong with links between domains.

import type { RuleText } from "../diagnostics/rules.js";
import { MAX_LINKS_OF_DOMAIN, MAX_NAME_LENGTH, TOLD_PREFIX } from "./limits.js";

/** Of single values. */
export const linkValueRules = {
  DOMB1043: {
    slug: "bad-link-name",
    title: "A link's name is not possible",
    severity: "error",
    explanation: `A link's name stands in the command lines of its domains: a letter first, then letters, digits, dots, hyphens and underscores, at most ${MAX_NAME_LENGTH} in all.`,
    example: "links: [{ kind: event-channel, name: my bell, … }]",
  },
  DOMB1044: {
    slug: "told-word",
    title: "A command line has a word that only domb may put there",
    severity: "error",
    explanation: `A domain is told of its links, and of how it signals that it is ready, by words that begin with ${TOLD_PREFIX}; what it finds there must be true.`,
    example: "cmdline: quiet domb.ready=32751:1",
  },
} as const satisfies Record<string, RuleText>;

/** Of values that don't go together. */
export const linkRules = {
  DOMB2201: {
    slug: "two-links-of-one-name",
    title: "Two links have one name",
    severity: "error",
    explanation: "A domain knows a link by its name.",
    example: "links: [{ name: bell, … }, { name: bell, … }]",
  },
  DOMB2202: {
    slug: "link-parties",
    title: "A link has not the domains that it needs",
    severity: "error",
    explanation:
      "An event channel is between two domains. Shared memory is that of its first writer, and there is at least one other domain, which writes or reads it.",
    example: "links: [{ kind: event-channel, name: bell, between: [web] }]",
  },
  DOMB2203: {
    slug: "too-many-links",
    title: "A domain has too many links",
    severity: "error",
    explanation: `A domain has at most ${MAX_LINKS_OF_DOMAIN} links. How many it can be told of depends on its command line, and is checked when that is made.`,
    example: `a domain with ${MAX_LINKS_OF_DOMAIN + 1} links`,
  },
  DOMB2204: {
    slug: "link-with-finished",
    title: "A link is with a domain that has finished",
    severity: "error",
    explanation:
      "A domain that is ready once it has finished is gone before the next one starts, and with it its event channels and its memory. Who is to find them starts before, or shares memory of its own.",
    example:
      "domains: { setup: { ready: { when: finished }, … }, web: { after: [setup], … } }, links: [{ between: [setup, web], … }]",
  },
} as const satisfies Record<string, RuleText>;
