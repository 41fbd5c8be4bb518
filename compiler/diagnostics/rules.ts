// SPDX-License-Identifier: Apache-2.0
// How a stage of the compiler declares what it may complain of: a table from code to rule. A
// diagnostic can only be made of a rule that is in a table, so that every code has its explanation.

import type { Diagnostic, Place, RelatedPlace } from "./diagnostic.js";

/** What is always true of a diagnostic with this code. */
export interface RuleText {
  /** A few words in lower case with hyphens; names the example of it among the tests. */
  readonly slug: string;
  /** What is wrong, in a few words. */
  readonly title: string;
  readonly severity: Diagnostic["severity"];
  /** Why it is wrong, and what to do, in a few sentences. */
  readonly explanation: string;
  /** The smallest input, or an account of one, that raises it. */
  readonly example: string;
}

export interface Rule extends RuleText {
  /** Stable: `DOMB` and four digits, the first of which names the stage. */
  readonly code: string;
}

/** What one case of a rule adds to it. */
export interface Finding {
  readonly place: Place;
  /** What was found and what is wanted, in one sentence. */
  readonly message: string;
  /** What to do, in one sentence. */
  readonly fix: string;
  readonly related?: readonly RelatedPlace[];
}

export interface RuleTable<Code extends string> {
  /** In the order of the table. */
  readonly rules: readonly Rule[];
  /** One diagnostic of the rule `code`. */
  diagnose(code: Code, finding: Finding): Diagnostic;
}

/** Declares a stage's rules; the keys are their codes. */
export function defineRules<const Table extends Record<`DOMB${number}`, RuleText>>(
  table: Table,
): RuleTable<keyof Table & string> {
  return {
    rules: Object.entries<RuleText>(table).map(([code, text]) => ({ code, ...text })),
    diagnose: (code, { place, message, fix, related = [] }) => ({
      code,
      severity: (table as Record<string, RuleText>)[code]?.severity ?? "error",
      place,
      message,
      fix,
      related,
    }),
  };
}
