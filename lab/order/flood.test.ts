// SPDX-License-Identifier: Apache-2.0
// A domain that signals without end, on real Xen: it costs the launch no more than one that computes
// without end, which has its share of the CPU and no more.

import { beforeAll, describe, expect, it } from "vitest";
import { buildAltered, withBootDomain } from "../altered-boot-domain.js";
import { everyArchitecture } from "../lab-bench.js";
import {
  type BootedOrder,
  bootedOrder,
  compiledOrder,
  doing,
  domainIn,
  millisecondsBetween,
} from "./order-bench.js";

describe.each(everyArchitecture)("a domain that floods its channel on %s", (_, architecture) => {
  let counting: string;
  const launches = new Map<string, BootedOrder>();

  /** What a launch took beside a domain that does these words once it is ready. */
  function measured(words: string) {
    const launch = launches.get(words);
    if (launch === undefined) throw new Error(`bug: ${words} was not booted`);
    const { receipt, outputs, xenLog } = launch;
    return {
      questions: Number(/counting: (\d+)$/m.exec(xenLog)?.[1]),
      milliseconds: millisecondsBetween(receipt, receipt.beganAt, receipt.endedAt),
      waited: millisecondsBetween(receipt, 0, receipt.waitTicks),
      signals: outputs.noisy?.match(/^ready: flood /gm)?.length ?? 0,
      receipt,
    };
  }

  beforeAll(async () => {
    counting = await buildAltered("counting", "lab/order/counting.c", [], architecture);
    for (const words of ["up", "burn", "flood"]) {
      const launch = await compiledOrder({
        noisy: doing(architecture, `signal ${words}`, {
          ready: { when: "signalled", within: "5 s" },
        }),
        slow: doing(architecture, "sleep=200 signal up", {
          ready: { when: "signalled", within: "5 s" },
        }),
        last: doing(architecture, "up", { after: ["noisy", "slow"] }),
      });
      launches.set(words, await withBootDomain(counting, () => bootedOrder(launch)));
    }
  });

  it("is ready by its first signal, and what waits for others is started in time", () => {
    const { receipt, signals } = measured("flood");
    expect(receipt.status).toBe(0);
    expect(signals).toBeGreaterThan(0);
    const [slow, last] = ["slow", "last"].map((name) => domainIn(receipt, name));
    expect(last?.startedAt).toBeGreaterThan(slow?.readyAt ?? Number.NaN);
  });

  it("costs the boot domain no question more than a quiet one", () => {
    const [quiet, burning, flooding] = ["up", "burn", "flood"].map(measured);
    expect(flooding?.questions).toBeLessThanOrEqual(quiet?.questions ?? Number.NaN);
    expect(burning?.questions).toBeLessThanOrEqual(quiet?.questions ?? Number.NaN);
    expect(quiet?.questions).toBeLessThan(20);
  });

  it("delays the launch no more than one that computes", () => {
    const [quiet, burning, flooding] = ["up", "burn", "flood"].map(measured);
    console.log(architecture, quiet, burning, flooding);
    expect(flooding?.milliseconds).toBeLessThan((burning?.milliseconds ?? Number.NaN) + 20);
    expect(burning?.milliseconds).toBeLessThan((quiet?.milliseconds ?? Number.NaN) + 100);
  });
});
