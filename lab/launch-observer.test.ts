// SPDX-License-Identifier: Apache-2.0

import { beforeEach, describe, expect, it } from "vitest";
import { BOOT_DOMID } from "../contract/limits.js";
import { LaunchStatus } from "../contract/receipt.js";
import { LaunchObserver } from "./launch-observer.js";
import { formatLogLine } from "./xen-log.js";

const plan = "ab".repeat(32);
const domainLine = (name: string, state: string, status = 0) =>
  `domb: domain 1 ${name} d1 ${state} reason 0 status ${status} operation 0 error 0 times 100 400 0 410 0 0`;
const launchLine = (status: number, domain = 0) =>
  `domb: launch status ${status} step 0 operation 0 domain ${domain} error 0 times 50 500 1 2 3 4 0`;
const partOf = (status: number, name: string) => [
  domainLine(name, "started"),
  "domb: steps from 1 times 60 70 80 90",
  `domb: plan verified 1 version 7 kHz 1000000 digest ${plan}`,
  launchLine(status),
];
/** After the main plan failed with a status, the recovery plan runs. */
const receiptOf = (failed: number) => [
  ...(failed === 0 ? [] : partOf(failed, "web").slice(2)),
  ...partOf(0, failed === 0 ? "web" : "rescue"),
];

let observer: LaunchObserver;

beforeEach(() => {
  observer = new LaunchObserver([{ name: "web", domid: 1, until: ["up"] }], true);
  xen(1000, "Xen version 4.17.5");
});

function xen(ticks: number, text: string): void {
  observer.observe(formatLogLine({ from: "xen", ticks, text }));
}

function domain(domid: number, ticks: number, text: string): void {
  observer.observe(formatLogLine({ from: { domid }, ticks, text }));
}

function leave(recovered = 0): void {
  leaveWith(receiptOf(recovered));
}

function leaveWith(receipt: readonly string[]): void {
  for (const line of receipt) domain(BOOT_DOMID, 3000, line);
  xen(3100, "Exit Boot Services: launch status 0, step 0, operation 0, domain 0, error 0");
  xen(3200, "Boot domain destroyed: 77 pages returned, 1000 pages free");
}

describe("the observer of a launch", () => {
  it("waits for the exit, the destruction and every domain's text", () => {
    domain(1, 2000, "I am up");
    expect(observer.ending()).toBeUndefined();
    leave();
    expect(observer.ending()?.status).toBe("success");
    expect(observer.pagesReturned).toBe(77);
    expect(observer.domains[0]).toMatchObject({
      ...{ state: "started", failure: null },
      ...{ startedAtNs: 1900, readyAtNs: 1910, markerAtNs: 1000 },
    });
  });

  it("knows the domains of the recovery plan, and that they are others", () => {
    const rescue = { name: "rescue", domid: 2, until: ["up"], recovery: true };
    observer = new LaunchObserver([{ name: "web", domid: 1, until: ["up"] }, rescue], true);
    expect(observer.domains.map(({ name }) => name)).toEqual(["web"]);
    leave(LaunchStatus.signature);
    expect(observer.receipt).toMatchObject({ verifiedBy: 1, launchVersion: 7 });
    expect(observer.recoveredFrom).toBe(LaunchStatus.signature);
    expect(observer.awaited()).toEqual(["rescue"]);
    domain(2, 4000, "I am up");
    expect(observer.ending()).toEqual({
      status: "recovered",
      reason: "the main plan failed (signature); the recovery plan's domains are up",
    });
    expect(observer.domains.map(({ name }) => name)).toEqual(["rescue"]);
  });

  it("waits for no domain that the launch went on without, and says which those are", () => {
    const names = ["web", "mail", "storage"];
    observer = new LaunchObserver(
      names.map((name, index) => ({ name, domid: index + 1, until: ["up"] })),
      true,
    );
    leaveWith([
      domainLine("web", "failed", LaunchStatus.late),
      domainLine("mail", "skipped"),
      domainLine("storage", "finished"),
      launchLine(0),
    ]);
    expect(observer.awaited()).toEqual([]);
    expect(observer.ending()).toEqual({
      status: "success",
      reason:
        "the launch went on without web (late), mail (skipped); every other domain is up, and the boot domain is gone",
    });
    expect(observer.domains[0]).toMatchObject({ state: "failed", failure: "late" });
  });

  it("names the domain by which the main plan failed", () => {
    const rescue = { name: "rescue", domid: 2, until: [], recovery: true };
    observer = new LaunchObserver([{ name: "web", domid: 1, until: ["up"] }, rescue], true);
    const main = [domainLine("web", "destroyed", LaunchStatus.ended), launchLine(15, 1)];
    leaveWith([...main, ...partOf(0, "rescue")]);
    expect(observer.ending()?.reason).toBe(
      "the main plan failed (ended: web); the recovery plan's domains are up",
    );
  });

  it("goes on waiting while a text has not come", () => {
    leave();
    expect(observer.ending()).toBeUndefined();
    expect(observer.awaited()).toEqual(["web"]);
  });

  it("waits for every text of a domain", () => {
    observer = new LaunchObserver([{ name: "web", domid: 1, until: ["up", "ready"] }], true);
    leave();
    domain(1, 4000, "I am up");
    expect(observer.ending()).toBeUndefined();
    domain(1, 4100, "and ready");
    expect(observer.ending()?.status).toBe("success");
  });

  it("fails when a domain crashes before what is awaited of it, on Xen's word alone", () => {
    leave();
    domain(1, 4000, "d1v0 Triple fault - invoking HVM shutdown action 1");
    expect(observer.ending()).toBeUndefined();
    xen(4000, "d1v0 Triple fault - invoking HVM shutdown action 1");
    expect(observer.ending()).toEqual({
      status: "failed",
      reason: "web crashed before what was awaited of it",
    });
  });

  it("takes no word of a domain for how the launch went", () => {
    domain(1, 2000, "Exit Boot Services: launch status 0, step 0, operation 0, domain 0, error 0");
    domain(1, 2000, "Boot domain destroyed: 77 pages returned, 1000 pages free");
    for (const line of receiptOf(0)) domain(1, 2000, line);
    expect(observer.launchStatus).toBeNull();
    expect(observer.pagesReturned).toBeNull();
    expect(observer.receiptLines).toEqual([]);
  });

  it("takes the counter for what Xen says it is, unless it counts nanoseconds", () => {
    const clocks = {
      "Detected 2000.000 MHz processor.": 500,
      "Generic Timer IRQ: phys=30 hyp=26 virt=27 Freq: 62500 KHz": 16_000,
    };
    for (const [clock, atNs] of Object.entries(clocks)) {
      observer = new LaunchObserver([{ name: "web", domid: 1, until: ["up"] }], false);
      xen(1000, clock);
      domain(1, 2000, "I am up");
      expect(observer.domains[0]?.markerAtNs).toBe(atNs);
    }
  });

  it("names what failed, in the words of the contract", () => {
    xen(3100, "Exit Boot Services: launch status 9, step 1, operation 6, domain 1, error 12");
    xen(3200, "Boot domain destroyed: 77 pages returned, 1000 pages free");
    expect(observer.ending()).toEqual({
      status: "failed",
      reason: "launch status hypercall: step 1, operation 6, domain 1, error 12",
    });
  });

  it("tells what Xen panicked of", () => {
    xen(3100, "Panic on CPU 0:");
    expect(observer.ending()).toBeUndefined();
    xen(3200, "something");
    expect(observer.ending()).toEqual({ status: "died", reason: "Xen panicked: something" });
  });
});
