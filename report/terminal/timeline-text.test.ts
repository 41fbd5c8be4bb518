// SPDX-License-Identifier: Apache-2.0
// The timeline in a terminal, of launches in the simulator, whose times are the same everywhere.

import { expect, test } from "vitest";
import type { LaunchInput } from "../../compiler/description/define-launch.js";
import { type Otherwise, simulated } from "../../simulator/simulated-bench.js";
import { chain, hundredAndMore, recoverable } from "../example-launches.js";
import { reportOf } from "../model/report.js";
import { timelineText } from "./timeline-text.js";

const hostCode = { xenBytes: null, bootDomainBytes: null, patches: { count: 0, lines: 0 } };

async function textOf(
  launch: LaunchInput,
  columns: number,
  otherwise?: Otherwise,
): Promise<string> {
  const { image, receipt } = await simulated(launch, otherwise);
  const source = "simulator" as const;
  const made = reportOf({ imageFile: "a/launch.img", image, receipt, source, hostCode });
  if (!made.ok) throw new Error(made.problem);
  return timelineText(made.report, columns);
}

test("shows each domain's row, the critical path and where the time went", async () => {
  const text = await textOf(chain, 90, { behave: ["storage=signal@9ms", "database=signal@4ms"] });
  expect(text).toMatch(/^launch\.img: success in .* in the simulator: 3 of 3 domains run$/m);
  expect(text).toMatch(/^boot domain {2}█+·+█·+█ +waits 13 ms$/m);
  expect(text).toMatch(/^storage {6}█+ +█+ +█━+●─+ {2}✓ runs, ready .*$/m);
  expect(text).toMatch(/^database {5} +█+ +█+ +█?━+● {2}✓ runs, ready .*$/m);
  expect(text).toMatch(/^web {10} +█+ +█+ +█ {2}✓ runs$/m);
  const [, path = ""] = /^critical path, .* of .*\n((?: .*\n)+)/m.exec(text) ?? [];
  expect(path.split("\n").map((line) => line.slice(12))).toEqual([
    "accept",
    "make storage, database, web",
    "tell storage, database, web",
    "start storage",
    "until ready: storage",
    "start database",
    "until ready: database",
    "start web",
    "",
  ]);
  expect(text).toMatch(/^its time: .*waiting 13 ms/m);
});

test("says what failed in which step, and how it is repeated, of both plans", async () => {
  const text = await textOf(recoverable, 80, { behave: ["storage=signal@9ms", "database=silent"] });
  expect(text.split("\n")[0]).toMatch(
    /^launch\.img: recovered: database was not ready in time; the recovery plan took .* in the simulator, 1 of 1 domain runs$/,
  );
  expect(text).toMatch(/^main plan: late$/m);
  expect(text).toMatch(/^recovery plan: success$/m);
  expect(text).toContain(
    [
      "failure: database was not ready in time (domain database)",
      "  again in the simulator: domb simulate a/launch.img --behave database=silent",
    ].join("\n"),
  );
});

test.each([60, 80, 132, 180])("keeps to %i columns, names and notes cut", async (columns) => {
  const text = await textOf(hundredAndMore, columns);
  const rows = text.split("\n").filter((line) => /^(boot domain|node-\d+) /.test(line));
  expect(rows).toHaveLength(129);
  for (const line of rows) expect(line.length).toBeLessThanOrEqual(columns);
});
