// SPDX-License-Identifier: Apache-2.0
// What Xen does for domains that wait for others and talk to each other: signals, event channels
// and shared memory between two that are linked, CPU pools and affinity, on real Xen. The boot
// domain is one of the test's own, so that these hold whatever a plan can say.

import { beforeAll, describe, expect, it } from "vitest";
import {
  SHUTDOWN_crash,
  SHUTDOWN_poweroff,
  XEN_BOOT_DOMAIN_EVENT_ended,
  XEN_BOOT_DOMAIN_EVENT_signalled,
  XEN_EEXIST,
  XEN_EINVAL,
  XEN_ENODEV,
  XEN_EPERM,
} from "../../contract/xen-abi.js";
import type { Architecture } from "../../setup/paths.js";
import { withBootDomain } from "../altered-boot-domain.js";
import type { BootRequest } from "../boot.js";
import { type Booted, booted, compiled, everyArchitecture } from "../lab-bench.js";
import {
  answers,
  buildLinking,
  linkedCommandLines,
  linkedGuest,
  signals,
} from "./linked-launch.js";

const signalled = (domid: number): string => `news ${domid} ${XEN_BOOT_DOMAIN_EVENT_signalled}`;
const ended = (domid: number, reason: number): string =>
  `news ${domid} ${XEN_BOOT_DOMAIN_EVENT_ended} ${reason}`;

/** Boots two linked guests with these command lines, until there was so much news. */
async function linked(
  architecture: Architecture,
  [first, second]: readonly [string, string],
  news: number,
  { cpu = 0, ...more }: { readonly cpu?: number } & Partial<BootRequest> = {},
): Promise<Booted> {
  const { image, xenCommandLine } = await compiled({
    domb: 1,
    domains: { first: linkedGuest(architecture, first), second: linkedGuest(architecture, second) },
  });
  const kernel = await buildLinking(architecture, news, cpu);
  const until = [{ domain: "second", text: "domb: domain is up" }];
  return withBootDomain(kernel, () => booted(image, xenCommandLine, { until, ...more }));
}

const newsIn = ({ xenLog }: Booted): string[] =>
  [...xenLog.matchAll(/linking: (news [\d ]+)$/gm)].map(([, words]) => (words ?? "").trim());

const troubles = /Panic on CPU|Assertion|Xen BUG|FATAL|Xen call trace/;

describe.each(everyArchitecture)("domains that the boot domain links on %s", (_, architecture) => {
  let result: Booted;
  let first: ReadonlyMap<string, string>;
  let second: ReadonlyMap<string, string>;

  beforeAll(async () => {
    result = await linked(architecture, linkedCommandLines(architecture), 2);
    first = answers(result.outputs.first ?? "", "linked");
    second = answers(result.outputs.second ?? "", "linked");
  });

  it("are linked by hypercalls that Xen answers as it should", () => {
    const said = answers(result.xenLog, "linking");
    const wanted = {
      create_pool: 0,
      remove_cpu: -XEN_EINVAL,
      add_cpu: -XEN_ENODEV,
      destroy_pool: -XEN_EPERM,
      ...{ signal_first: 0, signal_second: 0, signal_again: -XEN_EEXIST },
      ...{ channel: 0, channel_again: -XEN_EEXIST },
      ...{ grant_to_write: 0, grant_to_read: 0, grant_to_itself: 0 },
      ...{ affinity: 0, share: 0, no_news: 0, no_more_news: 0 },
    };
    expect(Object.fromEntries(said)).toMatchObject(
      Object.fromEntries(Object.entries(wanted).map(([name, answer]) => [name, `${answer}`])),
    );
  });

  it("wake each other by an event channel, though the SILO module is in force", () => {
    expect(second.get("bell bound")).toBe("0");
    expect(second.get("bell notified")).toBe("0");
    expect(first.get("bell heard")).toBe("1");
    expect(first.get("bell answered")).toBe("0");
    expect(second.has("bell heard")).toBe(true);
  });

  it("share memory, which one may write and the other only read", () => {
    expect(first.get("memory map-own")).toBe("0");
    expect(second.get("memory map")).toBe("0");
    expect(second.get("memory read")).toBe((0x6f776e + 1).toString(16));
    expect(first.get("memory read")).toBe((0x6f7468).toString(16));
    expect(second.get("view map-to-write")).toMatch(/^-/);
    expect(second.get("view map")).toBe("0");
    expect(second.get("view read")).toBe((0x6f776e + 1).toString(16));
  });

  it("can't map what is granted to another", () => {
    expect(second.get("forbidden map")).toMatch(/^-/);
  });

  it("signal the boot domain, which sleeps meanwhile, and hears each once", () => {
    expect(first.get("ready signalled")).toBe("0");
    expect(second.get("ready signalled")).toBe("0");
    expect(
      newsIn(result)
        .map((line) => line.split(" ").slice(0, 3).join(" "))
        .sort(),
    ).toEqual([signalled(1), signalled(2)]);
    expect(Number(answers(result.xenLog, "linking").get("slept"))).toBeLessThan(4);
  });

  it("do Xen no harm", () => {
    expect(result.outcome.status).toBe("success");
    expect(result.xenLog).not.toMatch(troubles);
  });
});

describe.each(everyArchitecture)("a domain that ends on %s", (_, architecture) => {
  it("after it has signalled is heard of twice, with the reason", async () => {
    const result = await linked(architecture, [`${signals(1)} then=poweroff`, "then=crash"], 3);
    const news = newsIn(result);
    expect(news).toHaveLength(3);
    expect(news.indexOf(ended(1, SHUTDOWN_poweroff))).toBeGreaterThan(
      news.findIndex((line) => line.startsWith(signalled(1))),
    );
    expect(news).toContain(ended(2, SHUTDOWN_crash));
    expect(result.xenLog).not.toMatch(troubles);
  });

  it("may not bind to the signal channel of another", async () => {
    const result = await linked(architecture, [`${signals(2)} then=poweroff`, signals(2)], 2);
    const first = answers(result.outputs.first ?? "", "linked");
    expect(first.get("ready bound")).toBe(`-${XEN_EINVAL.toString(16)}`);
    expect(newsIn(result).sort()).toEqual([
      ended(1, SHUTDOWN_poweroff),
      expect.stringContaining(signalled(2)),
    ]);
  });
});

describe("a host with two CPUs on x86-64", () => {
  it("gives a domain a pool of its own, with the null scheduler", async () => {
    const result = await linked("x86_64", ["", signals(2)], 1, {
      cpu: 1,
      icount: false,
      qemuOptions: ["-smp", "2"],
    });
    const said = answers(result.xenLog, "linking");
    expect(said.get("create_pool")).toBe("0");
    expect(said.get("remove_cpu")).toBe("0");
    expect(said.get("add_cpu")).toBe("0");
    expect(newsIn(result)).toEqual([expect.stringContaining(signalled(2))]);
    expect(result.outcome.status).toBe("success");
    expect(result.xenLog).not.toMatch(troubles);
  });
});
