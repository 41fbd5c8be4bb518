// SPDX-License-Identifier: Apache-2.0
// The model and the table of Xen's failures hold together: whatever the suite and a thousand fuzzed
// images make the model answer is in the table, and each row that a launch can come to is met.

import { beforeAll, describe, expect, it } from "vitest";
import { errnoName } from "../xen-model/errno.js";
import { failures } from "../xen-model/failures.js";
import { fuzzCase } from "./fuzz.js";
import { loadBootDomain, simulateLaunch } from "./simulate.js";
import { baseLaunches } from "./suite/base-launch.js";
import { suite } from "./suite.js";

/** What the model answered, as "hypercall answer", to launches without faults. */
let met: ReadonlySet<string>;

beforeAll(async () => {
  const wasm = await loadBootDomain();
  const { two } = await baseLaunches();
  const cases = [
    ...(await suite()).filter(({ faults }) => faults.length === 0),
    ...Array.from({ length: 1000 }, (_, seed) => ({
      ...fuzzCase(two.image, String(seed)),
      policy: undefined,
    })),
  ];
  const answers = new Set<string>();
  for (const { image, freePages, policy } of cases) {
    simulateLaunch(image, {
      wasm,
      ...{ freePages, policy },
      observe: ({ name, wanted }, answer = 0) => {
        if (answer < 0) answers.add(`${name} ${errnoName(-answer)}`);
        if (name === "populate" && answer >= 0 && answer < wanted) answers.add(`${name} fewer`);
      },
    });
  }
  met = answers;
});

describe("the model of Xen", () => {
  it("gives only failures that the table has, of those that a launch can come to", () => {
    const table = failures
      .filter(({ cause }) => cause !== "never")
      .map(({ hypercall, answer }) => `${hypercall} ${answer}`);
    expect([...met].sort()).toEqual([...new Set(table)].sort());
  });
});
