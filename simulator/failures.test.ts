// SPDX-License-Identifier: Apache-2.0
// The model and the table of Xen's failures hold together: whatever the suite and a thousand fuzzed
// images make the model answer is in the table, and each row that a launch can come to is met.

import { beforeAll, describe, expect, it } from "vitest";
import { errnoName } from "../xen-model/errno.js";
import { failuresOn } from "../xen-model/failures.js";
import { type Architecture, architectures, machines } from "../xen-model/machines.js";
import { fuzzCase } from "./fuzz.js";
import { loadBootDomain, simulateLaunch } from "./simulate.js";
import { baseLaunches } from "./suite/base-launch.js";
import { type SuiteCase, suite } from "./suite.js";

let wasm: WebAssembly.Module;

beforeAll(async () => {
  wasm = await loadBootDomain();
});

/** What the model answered, as "hypercall answer", to launches without faults. */
async function answersOn(architecture: Architecture): Promise<ReadonlySet<string>> {
  const { two } = await baseLaunches(architecture);
  const cases: readonly Omit<SuiteCase, "name" | "faults">[] = [
    ...(await suite(architecture)).filter(({ faults }) => faults.length === 0),
    ...Array.from({ length: 500 }, (_, seed) => fuzzCase(two.image, String(seed))),
  ];
  const met = new Set<string>();
  for (const { image, ...host } of cases) {
    simulateLaunch(image, {
      ...{ machine: machines[architecture], ...host, wasm },
      observe: ({ name, wanted }, answer = 0) => {
        if (answer < 0) met.add(`${name} ${errnoName(-answer)}`);
        if (name === "populate" && answer >= 0 && answer < wanted) met.add(`${name} fewer`);
      },
    });
  }
  return met;
}

describe.each(architectures)("the model of Xen on %s", (architecture) => {
  it("gives only failures that the table has, of those that a launch can come to", async () => {
    const table = failuresOn(architecture)
      .filter(({ cause }) => cause !== "never")
      .map(({ hypercall, answer }) => `${hypercall} ${answer}`);
    expect([...(await answersOn(architecture))].sort()).toEqual([...new Set(table)].sort());
  });
});
