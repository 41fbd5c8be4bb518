// SPDX-License-Identifier: Apache-2.0
// What no launch can reach of the boot domain's source, each with the reason.

import type { Missed, Which } from "./measure.js";

export interface Unreached {
  readonly file: string;
  /** The function that it is in. */
  readonly within: string;
  /** Its source, as instrument.ts shows it. */
  readonly text: string;
  readonly which: Which;
  readonly reason: string;
}

const lineIsShort =
  "a line has room for 1024 characters, and the longest that a launch writes has 282 when every number has all the digits of its type; the check keeps a longer text from what lies behind the line";

const newsIsOfStarted =
  "Xen tells news of domains that the plan has started and nobody has destroyed; the check keeps the receipt from news of any other";

export const unreached: readonly Unreached[] = [
  {
    file: "console.ts",
    within: "writeCharacter",
    text: "length < LINE_BYTES - 1",
    which: "false",
    reason: lineIsShort,
  },
  ...(
    [
      ["takeIn", "domain == NONE", "true"],
      ["takeIn", "return LaunchStatus.success;", "statement"],
      ["startedDomain", "domain < domains", "false"],
      ["startedDomain", "domainState(domain) == DomainState.started", "false"],
      ["startedDomain", "return NONE;", "statement"],
    ] as const
  ).map(([within, text, which]) => ({
    ...{ file: "order.ts", within, text, which },
    reason: newsIsOfStarted,
  })),
];

export interface Explained {
  readonly explained: readonly { readonly missed: Missed; readonly reason: string }[];
  /** What was missed for no reason that is known. */
  readonly unexplained: readonly Missed[];
  /** Reasons for what was reached after all, or is not there any more. */
  readonly stale: readonly Unreached[];
}

/** Holds what launches missed against the list; one entry is for one place. */
export function explain(missed: readonly Missed[], list = unreached): Explained {
  const stale = [...list];
  const explained: { missed: Missed; reason: string }[] = [];
  const unexplained: Missed[] = [];
  for (const one of missed) {
    const { file, within, text } = one.point;
    const index = stale.findIndex(
      (entry) =>
        entry.file === file &&
        entry.within === within &&
        entry.text === text &&
        entry.which === one.which,
    );
    const [entry] = index === -1 ? [] : stale.splice(index, 1);
    if (entry === undefined) unexplained.push(one);
    else explained.push({ missed: one, reason: entry.reason });
  }
  return { explained, unexplained, stale };
}
