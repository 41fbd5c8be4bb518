// SPDX-License-Identifier: Apache-2.0
// Every launch of the suite keeps the boot domain's promises, on each architecture.

import { describe, expect, it } from "vitest";
import { LaunchStatus } from "../contract/receipt.js";
import { architectures, machines } from "../xen-model/machines.js";
import { judgeLaunch } from "./judge.js";
import { loadBootDomain, simulateLaunch } from "./simulate.js";
import { suite } from "./suite.js";

describe.each(architectures)("the suite on %s", (architecture) => {
  it("[RFC-EXIT] keeps the promises, each launch under a name of its own", async () => {
    const wasm = await loadBootDomain();
    const cases = await suite(architecture);
    for (const { name, image, ...setting } of cases) {
      const { broken } = judgeLaunch(image, { wasm, ...setting });
      expect(broken, name).toEqual([]);
    }
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
  });

  it("starts nothing on a machine of the other architecture", async () => {
    const wasm = await loadBootDomain();
    const machine = Object.values(machines).find((one) => one !== machines[architecture]);
    const good = (await suite(architecture)).find(({ name }) => name === "two domains");
    if (good === undefined) expect.fail("the suite has no good launch");
    const { receipt, domains } = simulateLaunch(good.image, { wasm, machine, freePages: 0x4000 });
    expect(receipt.status).toBe(LaunchStatus.imageTarget);
    expect(domains.size).toBe(0);
  });
});
