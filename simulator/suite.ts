// SPDX-License-Identifier: Apache-2.0
// The suite: launches, good and bad, that every way of running the boot domain runs alike: its wasm
// on the model, its C as a program of the host, and the boot domain itself on real Xen.

import { type Architecture, machines } from "../xen-model/machines.js";
import { asPlanned } from "./behaviours.js";
import { loadBootDomain } from "./simulate.js";
import { arm64DomainCases, vcpuContextCases } from "./suite/arm64-cases.js";
import { baseLaunches, labelledLaunch } from "./suite/base-launch.js";
import { contextCases } from "./suite/context-cases.js";
import { doubleFaults, sampledFaults, singleFaults } from "./suite/fault-cases.js";
import { imageCases } from "./suite/image-cases.js";
import { labelCases } from "./suite/label-cases.js";
import { limitCases } from "./suite/limit-cases.js";
import { largeLinks, linkCases } from "./suite/link-cases.js";
import { memoryCases, pagesAround } from "./suite/memory-cases.js";
import { orderCases } from "./suite/order-cases.js";
import { orderedLaunch } from "./suite/order-launch.js";
import { planCases } from "./suite/plan-cases.js";
import { processorCases } from "./suite/processor-cases.js";
import { signatureCases } from "./suite/signature-cases.js";
import { plainCase, type SuiteCase } from "./suite/suite-case.js";
import { vcpuCases } from "./suite/vcpu-cases.js";

export type { SuiteCase } from "./suite/suite-case.js";

/** Where a hypercall of the suite's two domains ends, in pages: each one is tried from the first. */
const memoryBorders: Readonly<Record<Architecture, readonly (readonly [number, number])[]>> = {
  x86_64: [
    [264, 300],
    [796, 825],
    [1068, 1120],
    [1596, 1640],
  ],
  arm64: [
    [20, 45],
    [275, 300],
    [785, 840],
    [1068, 1082],
    [1580, 1595],
  ],
};

/** Where memory runs out: each page around a hypercall's end, and some between. */
function freePages(architecture: Architecture): readonly number[] {
  return Array.from({ length: 1700 }, (_, pages) => pages).filter(
    (pages) =>
      pages % 30 === 0 ||
      memoryBorders[architecture].some(([from, to]) => pages >= from && pages < to),
  );
}

/** Every case of the suite on an architecture. Needs the built guests, and the FLASK policy. */
export async function suite(architecture: Architecture = "x86_64"): Promise<readonly SuiteCase[]> {
  const { one, two } = await baseLaunches(architecture);
  const other = await baseLaunches(architecture === "arm64" ? "x86_64" : "arm64");
  const { policy, ...labelled } = await labelledLaunch(architecture);
  const inOrder = await orderedLaunch(architecture);
  const links = largeLinks(inOrder);
  const planned = { image: inOrder.image, behaviourOf: asPlanned(inOrder.plan) };
  const wasm = await loadBootDomain();
  const cases = [
    plainCase("one domain", one.image),
    plainCase("two domains", two.image),
    ...imageCases(two),
    plainCase("image: for the other architecture", other.two.image),
    ...(await signatureCases(one, two)),
    ...planCases(one, two),
    ...orderCases(inOrder),
    ...linkCases(inOrder),
    ...processorCases(inOrder),
    ...(architecture === "arm64"
      ? [...vcpuContextCases(one), ...arm64DomainCases(one)]
      : contextCases(one)),
    ...labelCases(labelled, policy),
    ...limitCases(two),
    ...memoryCases(two, freePages(architecture)),
    ...vcpuCases(one),
    ...memoryCases(one, pagesAround(one.image, wasm, 2), "one domain"),
    ...memoryCases({ image: links }, pagesAround(links, wasm, 25), "links"),
    ...singleFaults("two domains", two, wasm),
    ...doubleFaults("two domains", two, wasm),
    ...sampledFaults("domains in order", planned, wasm),
    ...singleFaults("two labelled domains", { image: labelled.image, policy }, wasm),
  ];
  return cases.map((launch) => ({ ...launch, machine: machines[architecture] }));
}
