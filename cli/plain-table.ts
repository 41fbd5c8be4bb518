// SPDX-License-Identifier: Apache-2.0
// Tables in what commands print.

import Table from "cli-table3";

/** A table without lines around it. */
export function plainTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const table = new Table({
    head: [...head],
    style: { head: [], border: [], compact: true, "padding-left": 0, "padding-right": 2 },
    chars: Object.fromEntries(
      ["top", "bottom", "left", "right", "mid"].flatMap((side) =>
        [side, `${side}-mid`, `${side}-left`, `${side}-right`].map((part) => [part, ""]),
      ),
    ),
  });
  table.options.chars.middle = "";
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}
