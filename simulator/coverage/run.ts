// SPDX-License-Identifier: Apache-2.0
// Prints what the launches of drive.ts reach of the boot domain's source, and why not the rest;
// with `--json` as JSON. Exits with 1 when something is missed for no reason that is known.

import Table from "cli-table3";
import { type FileCoverage, type Missed, measure, type Part } from "./measure.js";
import { explain } from "./unreached.js";

const kinds = ["functions", "statements", "lines", "branches"] as const;

function sum(files: readonly FileCoverage[]): FileCoverage {
  const total = (kind: (typeof kinds)[number]): Part => ({
    covered: files.reduce((all, file) => all + file[kind].covered, 0),
    all: files.reduce((all, file) => all + file[kind].all, 0),
  });
  return {
    ...{ file: "all", functions: total("functions"), statements: total("statements") },
    ...{ lines: total("lines"), branches: total("branches") },
  };
}

function place({ point: { file, line, column, within, text }, which }: Missed) {
  return { file, line, column, within, text, which };
}

function sentence(missed: Missed, reason: string): string {
  const { file, line, within, text, which } = place(missed);
  const what = which === "statement" ? text : `${text} is never ${which}`;
  return `bootdomain/assembly/${file}:${line} ${within}(): ${what}\n    ${reason}\n`;
}

const { launches, files, missed, decisions } = await measure();
const { explained, unexplained, stale } = explain(missed);
const all = sum(files);

if (process.argv.includes("--json")) {
  const answer = {
    ...{ schema: "domb.coverage/1", launches, files, all, decisions },
    unreached: explained.map(({ missed, reason }) => ({ ...place(missed), reason })),
    unexplained: unexplained.map(place),
    stale,
  };
  process.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
} else {
  const table = new Table({
    head: ["bootdomain/assembly", ...kinds],
    colAligns: ["left", "right", "right", "right", "right"],
    style: { head: [], border: [], compact: true },
  });
  for (const file of [...files, all]) {
    table.push([file.file, ...kinds.map((kind) => `${file[kind].covered}/${file[kind].all}`)]);
  }
  const { mixed } = decisions;
  process.stdout.write(
    [
      `${table.toString()}\n`,
      `${launches} launches. Of ${decisions.all} decisions ${decisions.pure} join their conditions `,
      "by && alone, by || alone, or have but one: for them the branches are MC/DC.\n",
      ...mixed.map(({ file, line, text }) => `joins && and ||: ${file}:${line} ${text}\n`),
      ...(missed.length > 0 ? ["\nNot reached:\n"] : []),
      ...explained.map(({ missed, reason }) => sentence(missed, reason)),
      ...unexplained.map((one) => sentence(one, "NO REASON IS KNOWN")),
      ...stale.map(
        ({ file, within, text }) => `unreached.ts is stale: ${file} ${within}() ${text}\n`,
      ),
    ].join(""),
  );
}

if (unexplained.length > 0 || stale.length > 0) process.exitCode = 1;
