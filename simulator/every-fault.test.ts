// SPDX-License-Identifier: Apache-2.0
// Every hypercall of a launch fails, in every way that Xen has: the launch ends with a status that
// names the place and Xen's errno, and nothing is left of it.

import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { LaunchStatus } from "../contract/receipt.js";
import { XEN_EACCES, XEN_ENOMEM } from "../contract/xen-abi.js";
import { compiledFile } from "../lab/lab-bench.js";
import { paths } from "../setup/paths.js";
import { type Fault, formatFault } from "./faults.js";
import { judgeLaunch } from "./judge.js";
import { loadBootDomain } from "./simulate.js";
import { doubleFaults, sampledFaults, singleFaults } from "./suite/fault-cases.js";
import type { SuiteCase } from "./suite/suite-case.js";

/** All failures at each hypercall of the Linux examples, where `npm test` takes one at each. */
const long = process.env.DOMB_LONG_TESTS !== undefined;

let wasm: WebAssembly.Module;

beforeAll(async () => {
  wasm = await loadBootDomain();
});

/** What repeats a case of a launch that is a file. */
function commandFor(launch: string, faults: readonly Fault[]): string {
  const words = faults.map((fault) => ` --fault ${formatFault(fault)}`);
  return `repeat it with: npx domb simulate ${launch}${words.join("")} --trace`;
}

/** Checks one launch whose first fault is an operation's; the others are of what follows. */
function expectDefinedEnd(launch: string, { image, faults, ...host }: SuiteCase): void {
  const command = commandFor(launch, faults);
  const { simulation, broken } = judgeLaunch(image, { wasm, faults, ...host });
  expect(broken, command).toEqual([]);
  const [first, second] = faults;
  if (simulation === undefined || first === undefined) expect.fail(command);
  const { receipt, exit, domains } = simulation;
  const afterwards = first.hypercall === "console" || first.hypercall === "exit";
  if (afterwards) expect(receipt.status, command).toBe(LaunchStatus.success);
  else {
    const error = first.answer < 0 ? -first.answer : XEN_ENOMEM;
    // The drop and the policy come before every step; the drop tells another Xen.
    const all = first.hypercall !== "drop" && first.hypercall !== "policy";
    const another = first.hypercall === "drop" && error === XEN_EACCES;
    const early = another ? LaunchStatus.imageTarget : LaunchStatus.hypercall;
    const status = first.hypercall === "policy" ? LaunchStatus.policy : early;
    expect(receipt, command).toMatchObject({ status, error });
    const places = [receipt.step, receipt.operation, receipt.domain];
    expect(
      places.map((place) => place > 0),
      command,
    ).toEqual([all, all, all]);
  }
  expect(exit === undefined, command).toBe(faults.some(({ hypercall }) => hypercall === "exit"));
  if (afterwards) return;
  // Only a domain whose undoing failed as well can be left, and only if it was running.
  const running = second?.hypercall === "destroy" ? 1 : 0;
  expect(domains.size, command).toBeLessThanOrEqual(running);
  for (const { domid, started } of domains.values()) {
    expect(started, command).toBe(true);
    const told = receipt.domains.find((domain) => domain.domid === domid);
    expect(told?.state, command).toBe("started");
  }
}

describe.each([
  "simulator/launches/pair.yaml",
  "simulator/launches/labelled.yaml",
  "examples/hello/launch.yaml",
  "examples/typescript/launch.ts",
])("the launch of %s", (launch) => {
  it("[RFC-EXIT] ends well defined at each failure of each hypercall", async () => {
    const { image, policy } = await compiledFile(join(paths.checkout, launch));
    const cases = singleFaults(launch, image, wasm, policy);
    expect(cases.length).toBeGreaterThan(40);
    for (const one of cases) expectDefinedEnd(launch, one);
  });

  it("[RFC-EXIT] ends well defined when what comes after a failure fails too", async () => {
    const { image, policy } = await compiledFile(join(paths.checkout, launch));
    for (const one of doubleFaults(launch, image, wasm, policy)) expectDefinedEnd(launch, one);
  });
});

describe.each(["examples/two-linux/launch.yaml", "examples/linux-and-hello/launch.yaml"])(
  "the launch of %s",
  (launch) => {
    it("ends well defined when any of its hypercalls fails", async () => {
      const { image } = await compiledFile(join(paths.checkout, launch));
      const cases = (long ? singleFaults : sampledFaults)(launch, image, wasm);
      expect(cases.length).toBeGreaterThan(100);
      for (const one of cases) expectDefinedEnd(launch, one);
    });
  },
);
