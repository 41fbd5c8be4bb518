// SPDX-License-Identifier: Apache-2.0
// Domains that fail on real Xen before they are ready: what becomes of them, of those that wait for
// them, and of the launch. What is destroyed leaves all of its memory free.

import { beforeAll, describe, expect, it } from "vitest";
import type { DomainInput } from "../../compiler/description/define-launch.js";
import { LaunchStatus } from "../../contract/receipt.js";
import { SHUTDOWN_crash, SHUTDOWN_poweroff } from "../../contract/xen-abi.js";
import { everyArchitecture, exactTime } from "../lab-bench.js";
import {
  type BootedOrder,
  bootedOrder,
  compiledOrder,
  doing,
  domainIn,
  millisecondsBetween,
  refused,
  statesIn,
} from "./order-bench.js";

const signalled = (within: string): Pick<DomainInput, "ready"> => ({
  ready: { when: "signalled", within },
});
const goOn = { onFailure: "continue" } as const;

describe.each(everyArchitecture)(
  "a launch that goes on without domains on %s",
  (_, architecture) => {
    let launch: BootedOrder;

    beforeAll(async () => {
      launch = await bootedOrder(
        await compiledOrder({
          crashing: doing(architecture, "sleep=20 crash", { ...signalled("5 s"), ...goOn }),
          silent: doing(architecture, "", { ...signalled("100 ms"), ...goOn }),
          // Powers off, but has not said that it has done what it was for.
          unfinished: doing(architecture, "sleep=20 poweroff", {
            ready: { when: "finished" },
            ...goOn,
          }),
          // Its end after it was ready is its own affair.
          passing: doing(architecture, "up signal sleep=20 poweroff", {
            ...signalled("5 s"),
            ...goOn,
          }),
          ofCrashing: doing(architecture, "up", { after: ["crashing"] }),
          ofItsOwn: doing(architecture, "up", { after: ["ofCrashing", "passing"] }),
          ofSilent: doing(architecture, "up", { after: ["silent", "passing"] }),
          ofPassing: doing(architecture, "up", { after: ["passing"] }),
        }),
        exactTime,
      );
    });

    it("succeeds, and says which it goes on without", () => {
      expect(launch.outcome).toMatchObject({ status: "success", bootDomain: { status: 0 } });
      expect(launch.receipt).toMatchObject({ status: LaunchStatus.success, domain: 0, error: 0 });
      expect(statesIn(launch.receipt)).toEqual({
        ...{ crashing: "failed", silent: "failed", unfinished: "failed", passing: "started" },
        ...{
          ofCrashing: "skipped",
          ofItsOwn: "skipped",
          ofSilent: "skipped",
          ofPassing: "started",
        },
      });
    });

    it("says of each how it failed: by its end, or by being late", () => {
      const { receipt } = launch;
      expect(domainIn(receipt, "crashing")).toMatchObject({
        ...{ status: LaunchStatus.ended, endReason: SHUTDOWN_crash, readyAt: 0, error: 0 },
      });
      expect(domainIn(receipt, "unfinished")).toMatchObject({
        ...{ status: LaunchStatus.ended, endReason: SHUTDOWN_poweroff, readyAt: 0, signalledAt: 0 },
      });
      const silent = domainIn(receipt, "silent");
      expect(silent).toMatchObject({ status: LaunchStatus.late, readyAt: 0, endedAt: 0 });
      const waited = millisecondsBetween(receipt, silent.startedAt, silent.destroyedAt);
      expect(waited).toBeGreaterThanOrEqual(100);
      expect(waited).toBeLessThan(120);
      expect(domainIn(receipt, "passing")).toMatchObject({ status: 0, destroyedAt: 0 });
    });

    it("starts what waits for the others, and nothing that waits for the failed, even by others", () => {
      for (const name of ["ofCrashing", "ofItsOwn", "ofSilent"]) {
        expect(launch.outputs[name], name).toBe("");
        expect(domainIn(launch.receipt, name)).toMatchObject({ status: 0, startedAt: 0 });
      }
      expect(launch.outputs.ofPassing).toContain("domb: domain is up");
    });

    it("leaves the memory of those free that it goes on without", async () => {
      const { image, xenCommandLine } = await compiledOrder({
        crashing: doing(architecture, "sleep=20 crash", { ...signalled("5 s"), ...goOn }),
        dependant: doing(architecture, "up", { after: ["crashing"], memory: "64 MiB" }),
      });
      const without = await bootedOrder({ image, xenCommandLine });
      const nothing = await bootedOrder({ image: refused(image), xenCommandLine });
      expect(statesIn(without.receipt)).toEqual({ crashing: "failed", dependant: "skipped" });
      // Xen keeps a receipt of either, which takes a page or two.
      expect(Math.abs(without.freePages - nothing.freePages)).toBeLessThanOrEqual(2);
    });
  },
);

describe.each(everyArchitecture)(
  "a launch that a domain's failure ends on %s",
  (_, architecture) => {
    let launch: BootedOrder;
    let nothing: BootedOrder;

    beforeAll(async () => {
      const { image, xenCommandLine } = await compiledOrder({
        first: doing(architecture, "signal up", signalled("5 s")),
        second: doing(architecture, "", { ...signalled("150 ms"), after: ["first"] }),
        third: doing(architecture, "signal poweroff", { ready: { when: "finished" } }),
        fourth: doing(architecture, "up", { after: ["second"] }),
        fifth: doing(architecture, "up", { after: ["third"] }),
      });
      launch = await bootedOrder({ image, xenCommandLine });
      nothing = await bootedOrder({ image: refused(image), xenCommandLine });
    });

    it("fails with its status, and with the domain's number", () => {
      expect(launch.outcome.status).toBe("failed");
      expect(launch.receipt).toMatchObject({ status: LaunchStatus.late, domain: 2, step: 0 });
      expect(domainIn(launch.receipt, "second")).toMatchObject({ status: LaunchStatus.late });
    });

    it("destroys what it has made, the last domain first", () => {
      expect(statesIn(launch.receipt)).toEqual({
        ...{ first: "destroyed", second: "destroyed", third: "finished" },
        ...{ fourth: "destroyed", fifth: "destroyed" },
      });
      const times = ["fifth", "fourth", "second", "first"].map(
        (name) => domainIn(launch.receipt, name).destroyedAt,
      );
      expect(times).toEqual([...times].sort((a, b) => a - b));
      expect(new Set(times).size).toBe(times.length);
      expect(domainIn(launch.receipt, "third").destroyedAt).toBeLessThan(times[0] ?? 0);
    });

    it("leaves as much memory free as one that has created nothing", () => {
      expect(nothing.receipt.status).toBe(LaunchStatus.planDigest);
      expect(launch.freePages).toBe(nothing.freePages);
    });
  },
);
