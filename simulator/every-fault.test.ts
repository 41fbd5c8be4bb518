// SPDX-License-Identifier: Apache-2.0
// Every hypercall of a launch fails, in every way that Xen has: the launch ends with a status that
// names the place and Xen's errno, and nothing is left of it.

import { beforeAll, describe, expect, it } from "vitest";
import { LaunchStatus } from "../contract/receipt.js";
import { XEN_EACCES, XEN_ENOMEM, XEN_ESRCH } from "../contract/xen-abi.js";
import { architectures } from "../xen-model/machines.js";
import { formatFault } from "./faults.js";
import { judgeLaunch } from "./judge.js";
import { loadBootDomain } from "./simulate.js";
import { doubleFaults, sampledFaults, singleFaults } from "./suite/fault-cases.js";
import { type FileLaunch, launchOfFile, repetitionOf } from "./suite/launch-files.js";
import type { SuiteCase } from "./suite/suite-case.js";

/** All failures at each hypercall of the Linux examples, where `npm test` takes one at each. */
const long = process.env.DOMB_LONG_TESTS !== undefined;

let wasm: WebAssembly.Module;

beforeAll(async () => {
  wasm = await loadBootDomain();
});

/** Checks one launch whose first fault is an operation's; the others are of what follows. */
function expectDefinedEnd(launch: FileLaunch, { image, faults, ...host }: SuiteCase): void {
  const words = faults.map((fault) => `--fault ${formatFault(fault)}`).join(" ");
  const { simulation, broken } = judgeLaunch(image, { wasm, faults, ...host });
  if (broken.length > 0) {
    expect.fail(`${broken.join("; ")}\nRepeat it with: ${repetitionOf(launch, words)}`);
  }
  const command = `${launch.file} on ${launch.architecture} with ${words}`;
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
    // To the boot domain it is gone if Xen knows no such domain.
    expect(told?.state, command).toBe(second?.answer === -XEN_ESRCH ? "destroyed" : "started");
  }
}

const whole = [
  "simulator/launches/pair.yaml",
  "simulator/launches/labelled.yaml",
  "examples/hello/launch.yaml",
  "examples/typescript/launch.ts",
].flatMap((file) => architectures.map((architecture) => ({ file, architecture })));

describe.each(whole)("the launch of $file on $architecture", ({ file, architecture }) => {
  it("[RFC-EXIT] ends well defined at each failure of each hypercall", async () => {
    const launch = await launchOfFile(file, architecture);
    const cases = singleFaults(file, launch, wasm);
    expect(cases.length).toBeGreaterThan(40);
    for (const one of cases) expectDefinedEnd(launch, one);
  });

  it("[RFC-EXIT] ends well defined when what comes after a failure fails too", async () => {
    const launch = await launchOfFile(file, architecture);
    const cases = doubleFaults(file, launch, wasm);
    for (const one of cases) expectDefinedEnd(launch, one);
  });
});

const sampled = ["examples/two-linux/launch.yaml", "examples/linux-and-hello/launch.yaml"].flatMap(
  (file) => architectures.map((architecture) => ({ file, architecture })),
);

describe.each(sampled)("the launch of $file on $architecture", ({ file, architecture }) => {
  it("ends well defined when any of its hypercalls fails", async () => {
    const launch = await launchOfFile(file, architecture);
    const all = (long ? singleFaults : sampledFaults)(file, launch, wasm);
    // Each architecture has its share of the hypercalls, unless all is asked for.
    const share = architectures.indexOf(architecture);
    const cases = all.filter((_, index) => long || index % architectures.length === share);
    expect(cases.length).toBeGreaterThan(50);
    for (const one of cases) expectDefinedEnd(launch, one);
  });
});
