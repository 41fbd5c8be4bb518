// SPDX-License-Identifier: Apache-2.0
// Faults in launches that would go well: each hypercall fails with each failure of its table, parts
// done and not; and a second fault meets the clean-up after the first.

import { errnos } from "../../xen-model/errno.js";
import { failuresOn } from "../../xen-model/failures.js";
import type { Architecture } from "../../xen-model/machines.js";
import { type Fault, formatFault } from "../faults.js";
import { hostArchitectureOf, machineOf } from "../machine.js";
import { simulateLaunch } from "../simulate.js";
import { PLENTY_PAGES, plainCase, type SuiteCase } from "./suite-case.js";

/** A hypercall of a launch, and how many units it asks for. */
export interface CallOfLaunch extends Pick<Fault, "hypercall" | "occurrence"> {
  readonly wanted: number;
}

/** An image, on what host, with what domains. */
export interface FaultyLaunch extends Pick<SuiteCase, "image" | "behaviourOf"> {
  readonly policy?: Uint8Array | undefined;
}

/** Every hypercall of a launch that meets no fault, in order. */
export function callsOf(
  { image, policy, behaviourOf }: FaultyLaunch,
  wasm: WebAssembly.Module,
): readonly CallOfLaunch[] {
  const calls: CallOfLaunch[] = [];
  simulateLaunch(image, {
    ...{ wasm, machine: machineOf(image), freePages: PLENTY_PAGES, policy, behaviourOf },
    observe: ({ name, occurrence, wanted }) => {
      calls.push({ hypercall: name, occurrence, wanted });
    },
  });
  return calls;
}

/** Parts that are done before a failure which leaves parts behind. */
const PARTS = [0, 1, 3];

/** Every failure of a hypercall on an architecture, each once. */
export function faultsOf(
  { hypercall, occurrence, wanted }: CallOfLaunch,
  architecture: Architecture,
): readonly Fault[] {
  const faults = failuresOn(architecture)
    .filter((failure) => failure.hypercall === hypercall)
    .flatMap(({ answer, partial }) =>
      (partial ? PARTS.filter((done) => done < wanted) : [0]).map((done) => {
        const given = answer === "fewer" ? done : -(errnos.get(answer) ?? Number.NaN);
        return { hypercall, occurrence, answer: given, done };
      }),
    );
  return [...new Map(faults.map((fault) => [formatFault(fault), fault])).values()];
}

function caseOf(
  launch: string,
  { image, policy, behaviourOf }: FaultyLaunch,
  faults: readonly Fault[],
): SuiteCase {
  const name = `faults in ${launch}: ${faults.map(formatFault).join(" and ")}`;
  const plain = { ...plainCase(name, image, policy), machine: machineOf(image), faults };
  return behaviourOf === undefined ? plain : { ...plain, behaviourOf };
}

/** Each hypercall with each of its failures. */
export function singleFaults(
  name: string,
  launch: FaultyLaunch,
  wasm: WebAssembly.Module,
): readonly SuiteCase[] {
  const architecture = hostArchitectureOf(launch.image);
  return callsOf(launch, wasm)
    .flatMap((call) => faultsOf(call, architecture))
    .map((fault) => caseOf(name, launch, [fault]));
}

/** Each hypercall with one of its failures, in turn through the table. */
export function sampledFaults(
  name: string,
  launch: FaultyLaunch,
  wasm: WebAssembly.Module,
): readonly SuiteCase[] {
  const architecture = hostArchitectureOf(launch.image);
  return callsOf(launch, wasm).flatMap((call) => {
    const faults = faultsOf(call, architecture);
    const fault = faults[call.occurrence % faults.length];
    return fault === undefined ? [] : [caseOf(name, launch, [fault])];
  });
}

/** Each hypercall fails, and then one of the clean-up, of the receipt's lines or the exit. */
export function doubleFaults(
  name: string,
  launch: FaultyLaunch,
  wasm: WebAssembly.Module,
): readonly SuiteCase[] {
  const calls = callsOf(launch, wasm).filter(
    ({ hypercall }) => hypercall !== "exit" && hypercall !== "console",
  );
  const architecture = hostArchitectureOf(launch.image);
  const domains = calls.filter(({ hypercall }) => hypercall === "createDomain").length;
  const seconds: readonly CallOfLaunch[] = [
    ...Array.from({ length: domains }, (_, index) => ({
      hypercall: "destroy" as const,
      occurrence: index + 1,
      wanted: 1,
    })),
    { hypercall: "console", occurrence: 1, wanted: 1 },
    { hypercall: "exit", occurrence: 1, wanted: 1 },
  ];
  return calls.flatMap((first, index) =>
    seconds.flatMap((second) => {
      const pair = [first, second].map((call) => {
        const faults = faultsOf(call, architecture);
        return faults[index % faults.length];
      });
      return [
        caseOf(
          name,
          launch,
          pair.flatMap((fault) => (fault === undefined ? [] : [fault])),
        ),
      ];
    }),
  );
}
