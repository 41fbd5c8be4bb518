// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from "vitest";
import { longestWait } from "./longest-wait.js";
import { noPolicy, noReserve, type Plan, type PlanDomain } from "./plan.js";

/** A plan of domains by their limits, each with those that it waits for. */
function planOf(
  domains: readonly (readonly [readyWithin: number, after: readonly number[]])[],
): Plan {
  const guards = domains.flatMap(([, after]) => after);
  let firstGuard = 0;
  const steps = domains.map(([, after], domain) => {
    const step = { domain, firstOperation: 0, operationCount: 1, afterStep: 0, firstGuard };
    firstGuard += after.length;
    return { ...step, guardCount: after.length };
  });
  const records = domains.map(([readyWithin]) => ({ readyWithin }) as PlanDomain);
  const tables = { domains: records, steps, guards, materials: [], operations: [] };
  return { dropped: 0, ...noPolicy, ...noReserve, ...tables };
}

describe("the longest wait of a plan", () => {
  it("is none without limits", () => {
    expect(longestWait(planOf([]))).toBe(0);
    expect(
      longestWait(
        planOf([
          [0, []],
          [0, [0]],
        ]),
      ),
    ).toBe(0);
  });

  it("is the sum of the limits of the longest chain, not of all domains", () => {
    const chain = planOf([
      [1000, []],
      [200, [0]],
      [5000, []],
      [30, [1, 2]],
    ]);
    expect(longestWait(chain)).toBe(5030);
  });

  it("is found in a plan whose domains wait for each other, which no compiler makes", () => {
    expect(
      longestWait(
        planOf([
          [10, [1]],
          [20, [0]],
        ]),
      ),
    ).toBe(30);
  });
});
