// SPDX-License-Identifier: Apache-2.0
// How a table of failures is written: rows of each hypercall, in tables of one cause.

import type { ErrnoName } from "./errno.js";
import type { HypercallName } from "./hypercalls.js";
import type { Architecture } from "./machines.js";

export interface Failure {
  readonly hypercall: HypercallName;
  /** Xen's errno; "fewer": fewer extents done than were asked for, none perhaps. */
  readonly answer: ErrnoName | "fewer";
  /** The function that gives it, whose body names it. */
  readonly function: string;
  /** Its file in Xen's tree. */
  readonly file: string;
  readonly condition: string;
  /** Whether a part may have been done: extents, pages. */
  readonly partial: boolean;
  /**
   * What comes to it in a launch: a plan that no compiler makes, a Xen that does not enforce the
   * launch's FLASK policy, too little memory, or nothing that the boot domain does.
   */
  readonly cause: "plan" | "policy" | "memory" | "never";
  /** Where there is this failure; undefined: everywhere. */
  readonly architecture: Architecture | undefined;
}

export type Row = readonly [answer: Failure["answer"], where: string, condition: string];
export type Rows = Partial<Record<HypercallName, readonly Row[]>>;
/** The rows of each cause. */
export type FailureTables = Partial<Record<Failure["cause"], Rows>>;

/** The failures of which a part may have been done: Xen fills page by page. */
const partialFunctions = ["get_ram_page", "fill_page"];

/** Each row of the tables. */
export function failuresIn(tables: FailureTables, architecture?: Architecture): readonly Failure[] {
  return Object.entries(tables).flatMap(([cause, hypercalls]) =>
    Object.entries(hypercalls).flatMap(([hypercall, rows]) =>
      rows.map(([answer, where, condition]) => {
        const [name = "", file = ""] = where.split(" ");
        const partial = answer === "fewer" || partialFunctions.includes(name);
        return {
          ...{ hypercall: hypercall as HypercallName, answer, function: name, file },
          ...{ condition, partial, cause: cause as Failure["cause"], architecture },
        };
      }),
    ),
  );
}
