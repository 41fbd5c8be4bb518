// SPDX-License-Identifier: Apache-2.0
// Every statement and branch of the boot domain's source is reached by a launch, or says why not.

import { beforeAll, describe, expect, it } from "vitest";
import { injectFaults } from "../faults.js";
import { loadBootDomain, type Simulation, simulateLaunch } from "../simulate.js";
import { instrument } from "./instrument.js";
import { type Missed, measure, type Report } from "./measure.js";
import { explain } from "./unreached.js";

let report: Report;
/** Launches that went otherwise than with the boot domain that is built. */
const different: string[] = [];

beforeAll(async () => {
  const wasm = await loadBootDomain();
  report = await measure(({ name, image, faults, ...host }, simulation) => {
    const real = simulateLaunch(image, { wasm, ...host, inject: injectFaults(faults) });
    if (outcome(simulation) !== outcome(real)) different.push(name);
  });
});

function outcome({ receipt, exit, consoleLines, hypercalls }: Simulation): string {
  return JSON.stringify({ receipt, exit, consoleLines, hypercalls }, (_, value) =>
    typeof value === "bigint" ? String(value) : value,
  );
}

const shown = ({ point, which }: Missed): string =>
  `${point.file}:${point.line} ${point.within}() ${which}: ${point.text}`;

describe("the launches of the coverage", () => {
  it("reach every statement and branch of the boot domain, but for what unreached.ts says", async () => {
    expect(explain(report.missed).unexplained.map(shown)).toEqual([]);
  });

  it("reach nothing that unreached.ts says is not reached", async () => {
    expect(explain(report.missed).stale).toEqual([]);
  });

  it("are held against the list one entry for one place", () => {
    const point = {
      id: 1,
      kind: "condition",
      file: "f",
      within: "g",
      line: 2,
      column: 3,
      text: "h",
    };
    const missed = { point, which: "true" } as Missed;
    const entry = { file: "f", within: "g", text: "h", which: "true", reason: "" } as const;
    expect(explain([missed, missed], [entry]).unexplained).toEqual([missed]);
    expect(explain([missed], [entry, entry]).stale).toEqual([entry]);
    expect(explain([{ ...missed, which: "false" }], [entry]).stale).toEqual([entry]);
  });

  it("show each condition deciding alone: none joins && and ||", async () => {
    expect(report.decisions.mixed).toEqual([]);
  });

  it("go as they do with the boot domain that is built", async () => {
    expect(different).toEqual([]);
  });
});

describe("the instrumentation", () => {
  const source = `
function f(a: u32): u32 {
  for (let b: u32 = 0; b < a; b++)
    if (a == 1 && !(b == 2 || g(b != 0 ? 1 : 2))) return 1;
    else a--;
  switch (a) {
    case 3:
      return a == 4 || (a == 5 && b == 6) ? 7 : 8;
  }
  return 0;
}
`;
  const { text, points, decisions } = instrument(source, "f.ts", 10);

  it("puts a call before each statement and case, and around each condition", () => {
    expect(text).toBe(`import { __condition, __statement } from "./coverage"; 
function f(a: u32): u32 { __statement(10);
  __statement(11); for (let b: u32 = 0; __condition(12, b < a); b++)
    { __statement(13); if (__condition(14, a == 1) && !(__condition(15, b == 2) || __condition(16, g(__condition(17, b != 0) ? 1 : 2)))) { __statement(18); return 1; }
    else { __statement(19); a--; } }
  __statement(20); switch (a) {
    case 3:
      __statement(21); __statement(22); return __condition(23, a == 4) || (__condition(24, a == 5) && __condition(25, b == 6)) ? 7 : 8;
  }
  __statement(26); return 0;
}
`);
  });

  it("knows where each point is, and its source", () => {
    const at = { file: "f.ts", within: "f" };
    expect(points[0]).toEqual({ id: 10, kind: "function", ...at, line: 2, column: 1, text: "f" });
    expect(points[6]).toEqual({
      ...{ id: 16, kind: "condition", ...at, line: 4, column: 31 },
      text: "g(b != 0 ? 1 : 2)",
    });
    expect(points[11]).toMatchObject({ kind: "statement", line: 7, text: "case 3:" });
  });

  it("tells decisions that join && and || from those that join one of them, or its negation", () => {
    expect(decisions.map(({ conditions, pure }) => ({ conditions, pure }))).toEqual([
      { conditions: [12], pure: true },
      { conditions: [17], pure: true },
      { conditions: [14, 15, 16], pure: true },
      { conditions: [23, 24, 25], pure: false },
    ]);
  });
});
