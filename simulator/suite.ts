// SPDX-License-Identifier: Apache-2.0
// The suite: launches, good and bad, that every way of running the boot domain runs alike: its wasm
// on the model, its C as a program of the host, and the boot domain itself on real Xen.

import { loadBootDomain } from "./simulate.js";
import { baseLaunches, labelledLaunch } from "./suite/base-launch.js";
import { contextCases } from "./suite/context-cases.js";
import { doubleFaults, singleFaults } from "./suite/fault-cases.js";
import { imageCases } from "./suite/image-cases.js";
import { labelCases } from "./suite/label-cases.js";
import { limitCases } from "./suite/limit-cases.js";
import { memoryCases } from "./suite/memory-cases.js";
import { planCases } from "./suite/plan-cases.js";
import { signatureCases } from "./suite/signature-cases.js";
import { plainCase, type SuiteCase } from "./suite/suite-case.js";

export type { SuiteCase } from "./suite/suite-case.js";

/** Where memory runs out: each page around a hypercall's end, and some between. */
function freePages(): readonly number[] {
  return Array.from({ length: 1700 }, (_, pages) => pages).filter(
    (pages) =>
      pages % 30 === 0 ||
      [
        [264, 300],
        [796, 825],
        [1068, 1120],
        [1596, 1640],
      ].some(([from = 0, to = 0]) => pages >= from && pages < to),
  );
}

/** Every case of the suite. Needs the built guests, and the built FLASK policy. */
export async function suite(): Promise<readonly SuiteCase[]> {
  const { one, two } = await baseLaunches();
  const { policy, ...labelled } = await labelledLaunch();
  const wasm = await loadBootDomain();
  return [
    plainCase("one domain", one.image),
    plainCase("two domains", two.image),
    ...imageCases(two),
    ...(await signatureCases(one, two)),
    ...planCases(one, two),
    ...contextCases(one),
    ...labelCases(labelled, policy),
    ...limitCases(two),
    ...memoryCases(two, freePages()),
    ...singleFaults("two domains", two.image, wasm),
    ...doubleFaults("two domains", two.image, wasm),
    ...singleFaults("two labelled domains", labelled.image, wasm, policy),
  ];
}
