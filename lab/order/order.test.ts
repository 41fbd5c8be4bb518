// SPDX-License-Identifier: Apache-2.0
// Order on real Xen: a domain starts when those that it waits for are ready, and not before.

import { beforeAll, describe, expect, it } from "vitest";
import { guestKernel } from "../../guests/build.js";
import { decodeKeptReceipt, type KeptReceipt } from "../kept-receipt.js";
import { everyArchitecture } from "../lab-bench.js";
import {
  type BootedOrder,
  bootedOrder,
  compiledOrder,
  doing,
  domainIn,
  millisecondsBetween,
  statesIn,
} from "./order-bench.js";

/** Xen's own word for shutting down in order. */
const SHUTDOWN_poweroff = 0;

describe.each(everyArchitecture)("domains that wait for others on %s", (_, architecture) => {
  let launch: BootedOrder;
  let kept: KeptReceipt;

  beforeAll(async () => {
    launch = await bootedOrder(
      await compiledOrder({
        // In an order that is not that of their starts.
        web: doing(architecture, "up", { after: ["storage", "migration"] }),
        storage: doing(architecture, "sleep=60 signal sleep=5 signal up", {
          ready: { when: "signalled", within: "5 s" },
        }),
        migration: doing(architecture, "sleep=40 signal sleep=20 poweroff", {
          ready: { when: "finished" },
        }),
        // Its start is all that counts.
        early: doing(architecture, "sleep=10 up"),
        late: doing(architecture, "up", { after: ["early"] }),
        reader: doing(architecture, "", {
          kernel: guestKernel("receipt", architecture),
          roles: ["control"],
        }),
      }),
    );
    const digits = (launch.outputs.reader ?? "").matchAll(/^receipt: ([0-9a-f]+)$/gm);
    kept = decodeKeptReceipt(Buffer.from([...digits].map(([, text]) => text).join(""), "hex"));
  });

  /** When Xen itself started a domain. */
  function startedNs(name: string): number {
    const { domid } = domainIn(launch.receipt, name);
    return kept.domains.find((stamp) => stamp.domid === domid)?.startedNs ?? Number.NaN;
  }

  it("are all up in the end, and one that has finished is gone", () => {
    expect(launch.outcome).toMatchObject({ status: "success", bootDomain: { status: 0 } });
    expect(statesIn(launch.receipt)).toEqual({
      ...{ web: "started", storage: "started", migration: "finished" },
      ...{ early: "started", late: "started", reader: "started" },
    });
  });

  it("[RFC-ORDER] start when what they wait for has signalled, or has finished", () => {
    const { receipt } = launch;
    const { startedAt } = domainIn(receipt, "web");
    const storage = domainIn(receipt, "storage");
    const migration = domainIn(receipt, "migration");
    expect(storage.signalledAt).toBeGreaterThan(storage.startedAt);
    expect(storage.readyAt).toBe(storage.signalledAt);
    expect(migration.readyAt).toBe(migration.endedAt);
    expect(migration.signalledAt).toBeLessThan(migration.endedAt);
    expect(migration.endReason).toBe(SHUTDOWN_poweroff);
    for (const { readyAt } of [storage, migration]) expect(startedAt).toBeGreaterThan(readyAt);
    for (const domain of [storage, migration]) {
      const took = millisecondsBetween(receipt, domain.startedAt, domain.readyAt);
      expect(took).toBeGreaterThanOrEqual(60);
    }
  });

  it("[RFC-ORDER] start in the order that Xen's own stamps tell, too", () => {
    expect(startedNs("web")).toBeGreaterThan(startedNs("storage"));
    expect(startedNs("late")).toBeGreaterThan(startedNs("early"));
    // It was not kept waiting by those that wait for something else.
    expect(startedNs("late")).toBeLessThan(startedNs("web"));
    const said = (text: string) => launch.xenLog.indexOf(text);
    expect(said("(d1)")).toBeGreaterThan(said("(d2)"));
    expect(said("(d1)")).toBeGreaterThan(said("(d3)"));
  });

  it("are ready at once where their start is all that counts", () => {
    for (const name of ["early", "late", "reader"]) {
      const { startedAt, readyAt, signalledAt } = domainIn(launch.receipt, name);
      expect(readyAt).toBe(startedAt);
      expect(signalledAt).toBe(0);
    }
  });

  it("may signal again: Xen takes it, and it is no news", () => {
    expect(launch.outputs.storage?.match(/ready: signal 0$/gm)).toHaveLength(2);
  });

  it("are waited for asleep", () => {
    const { receipt } = launch;
    const whole = receipt.endedAt - receipt.beganAt;
    expect(receipt.waitTicks).toBeGreaterThan(0);
    expect(receipt.waitTicks).toBeLessThan(whole);
    expect(millisecondsBetween(receipt, 0, receipt.waitTicks)).toBeGreaterThan(40);
  });
});
