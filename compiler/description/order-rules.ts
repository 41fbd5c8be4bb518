// SPDX-License-Identifier: Apache-2.0
// What can be wrong with the order in which domains start, and with what their failure means.

import { MAX_READY_WITHIN } from "../../contract/limits.js";
import type { RuleText } from "../diagnostics/rules.js";
import { formatDuration } from "./duration.js";

/** Of single values. */
export const orderValueRules = {
  DOMB1041: {
    slug: "duration-malformed",
    title: "A time can't be read",
    severity: "error",
    explanation:
      "A time is a whole decimal number without sign, fraction, exponent or leading zero, and a unit: ms, s or min.",
    example: "within: 5",
  },
  DOMB1042: {
    slug: "duration-out-of-range",
    title: "A time is out of its range",
    severity: "error",
    explanation: `A domain has from 1 ms to ${formatDuration(MAX_READY_WITHIN)} to become ready.`,
    example: "within: 2000 min",
  },
} as const satisfies Record<string, RuleText>;

/** Of values that don't go together. */
export const orderRules = {
  DOMB2101: {
    slug: "unknown-domain",
    title: "A domain is named that there is not",
    severity: "error",
    explanation:
      "Order and links name domains of the same description, letter for letter; a name that nobody has would leave out an order or a link in silence.",
    example: "after: [store], where no domain has that name",
  },
  DOMB2102: {
    slug: "after-itself",
    title: "A domain is to start after itself",
    severity: "error",
    explanation: "It would never start.",
    example: "domains: { web: { after: [web], … } }",
  },
  DOMB2103: {
    slug: "named-twice",
    title: "A domain is named twice",
    severity: "error",
    explanation:
      "Naming a domain a second time adds nothing, so that probably another one is meant. A link joins different domains, and each of them is either a writer or a reader of its memory.",
    example: "after: [storage, storage]",
  },
  DOMB2104: {
    slug: "order-cycle",
    title: "Domains wait for each other",
    severity: "error",
    explanation:
      "Each of them is to start after the next, and the last one after the first, so that none of them can be the first to start.",
    example: "domains: { web: { after: [db], … }, db: { after: [web], … } }",
  },
  DOMB2105: {
    slug: "other-plan",
    title: "The recovery domain is to wait for others, or others for it",
    severity: "error",
    explanation:
      "The recovery domain is started instead of all others, never beside them: there is nothing to wait for, and nobody to be joined with.",
    example: "domains: { web: { after: [rescue], … }, rescue: { roles: [recovery], … } }",
  },
  DOMB2106: {
    slug: "nothing-to-recover",
    title: "A failure leads to a recovery that there is not",
    severity: "error",
    explanation:
      "After `onFailure: recover` the recovery domain is started; no domain has that role.",
    example: "domains: { web: { onFailure: recover, … } }",
  },
  DOMB2107: {
    slug: "end-ends-the-host",
    title: "A domain's end is awaited, and reboots the host",
    severity: "error",
    explanation:
      "A domain that is ready once it has finished must be able to end; with `onDeath: reboot` its end is the host's, and what is to start after it never starts.",
    example: "domains: { setup: { ready: { when: finished }, onDeath: reboot, … } }",
  },
  DOMB2108: {
    slug: "limit-without-wait",
    title: "There is a time limit, and nothing to wait for",
    severity: "error",
    explanation: "A domain that is ready once it has started is so at once.",
    example: "ready: { when: started, within: 5 s }",
  },
  DOMB2109: {
    slug: "recovery-domain-waits",
    title: "The recovery domain has a part in the order",
    severity: "error",
    explanation:
      "Nothing starts after the recovery domain, and if it fails there is nothing left to try: it is ready once it has started, and its failure is the launch's.",
    example: "domains: { rescue: { roles: [recovery], onFailure: continue, … } }",
  },
} as const satisfies Record<string, RuleText>;
