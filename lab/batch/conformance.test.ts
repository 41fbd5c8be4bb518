// SPDX-License-Identifier: Apache-2.0
// The model of Xen answers as Xen does: the suite runs on both, and each launch leaves the same
// receipt, times apart, and the same domains running; real Xen loses no page.

import { describe, expect, it } from "vitest";
import { injectFaults } from "../../simulator/faults.js";
import { loadBootDomain, simulateLaunch } from "../../simulator/simulate.js";
import { suite } from "../../simulator/suite.js";
import { withoutTimes } from "../../xen-model/receipt.js";
import { runBatch } from "./batch.js";

/** More than any launch of the suite takes, in whole extents of 2 MiB. */
const roomPages = 3000;

describe("real Xen and its model", () => {
  it("leave the same receipts and the same domains, launch by launch", async () => {
    const cases = await suite();
    const wasm = await loadBootDomain();
    const results = await runBatch(cases, { roomPages, hostMemoryBytes: 384 * 0x100000 });
    const real = results.map(({ receipt, exited, hypercalls, running, lostPages }, index) => ({
      name: cases[index]?.name,
      ...{ exited, hypercalls, running, lostPages },
      receipt: withoutTimes(receipt),
    }));
    const model = cases.map(({ name, image, freePages, faults }) => {
      const free = Math.min(freePages, roomPages);
      const inject = injectFaults(faults);
      const left = simulateLaunch(image, { wasm, freePages: free, inject });
      return {
        name,
        exited: left.exit !== undefined,
        hypercalls: left.hypercalls,
        running: [...left.domains.values()].map(({ domid }) => domid).sort((a, b) => a - b),
        lostPages: 0,
        receipt: withoutTimes(left.receipt),
      };
    });
    if (process.env.SHOW) {
      for (const [i, r] of real.entries()) {
        const m = model[i];
        if (JSON.stringify(r) !== JSON.stringify(m)) {
          const { name, ...rest } = r;
          console.log(
            `${name}\n  real  ${JSON.stringify(rest)}\n  model ${JSON.stringify({ ...m, name: undefined })}`,
          );
        }
      }
    }
    expect(real).toEqual(model);
  });
});
