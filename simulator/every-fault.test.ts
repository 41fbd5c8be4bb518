// SPDX-License-Identifier: Apache-2.0
// Every hypercall of a launch fails, in every way that Xen has: the launch ends with a status that
// names the place and Xen's errno, and nothing is left of it.

import { beforeAll, describe, expect, it } from "vitest";
import { LaunchStatus } from "../contract/receipt.js";
import { XEN_ENOMEM } from "../contract/xen-abi.js";
import { compiledExample } from "../lab/lab-bench.js";
import { judgeLaunch } from "./judge.js";
import { loadBootDomain } from "./simulate.js";
import { baseLaunches } from "./suite/base-launch.js";
import { doubleFaults, sampledFaults, singleFaults } from "./suite/fault-cases.js";
import type { SuiteCase } from "./suite/suite-case.js";

/** All failures at each hypercall of the Linux examples, where `npm test` takes one at each. */
const long = process.env.DOMB_LONG_TESTS !== undefined;

let wasm: WebAssembly.Module;

beforeAll(async () => {
  wasm = await loadBootDomain();
});

/** Checks one launch whose first fault is an operation's; the others are of what follows. */
function expectDefinedEnd({ name, image, freePages, faults }: SuiteCase): void {
  const { simulation, broken } = judgeLaunch(image, { wasm, freePages, faults });
  expect(broken, name).toEqual([]);
  const [first, second] = faults;
  if (simulation === undefined || first === undefined) expect.fail(name);
  const { receipt, exit, domains } = simulation;
  const afterwards = first.hypercall === "console" || first.hypercall === "exit";
  if (afterwards) expect(receipt.status, name).toBe(LaunchStatus.success);
  else {
    const error = first.answer < 0 ? -first.answer : XEN_ENOMEM;
    expect(receipt, name).toMatchObject({ status: LaunchStatus.hypercall, error });
    expect(Math.min(receipt.step, receipt.operation, receipt.domain), name).toBeGreaterThan(0);
  }
  expect(exit === undefined, name).toBe(faults.some(({ hypercall }) => hypercall === "exit"));
  if (afterwards) return;
  // Only a domain whose undoing failed as well can be left, and only if it was running.
  const running = second?.hypercall === "destroy" ? 1 : 0;
  expect(domains.size, name).toBeLessThanOrEqual(running);
  for (const { domid, started } of domains.values()) {
    expect(started, name).toBe(true);
    const told = receipt.domains.find((domain) => domain.domid === domid);
    expect(told?.state, name).toBe("started");
  }
}

describe("a launch of two domains", () => {
  it("[RFC-EXIT] ends well defined at each failure of each hypercall", async () => {
    const { two } = await baseLaunches();
    for (const one of singleFaults("two domains", two.image, wasm)) expectDefinedEnd(one);
  });

  it("[RFC-EXIT] ends well defined when what comes after a failure fails too", async () => {
    const { two } = await baseLaunches();
    for (const one of doubleFaults("two domains", two.image, wasm)) expectDefinedEnd(one);
  });
});

describe.each(["hello", "typescript", "two-linux", "linux-and-hello"])("examples/%s", (example) => {
  it("ends well defined when any of its hypercalls fails", async () => {
    const file = example === "typescript" ? "launch.ts" : "launch.yaml";
    const { image } = await compiledExample(`${example}/${file}`);
    const small = image.length < 0x100000;
    const faults = long || small ? singleFaults : sampledFaults;
    const cases = faults(example, image, wasm);
    expect(cases.length).toBeGreaterThan(10);
    for (const one of cases) expectDefinedEnd(one);
    if (!long && !small) return;
    for (const one of doubleFaults(example, image, wasm)) expectDefinedEnd(one);
  });
});
