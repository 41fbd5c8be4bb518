// SPDX-License-Identifier: Apache-2.0
// Launches on real Xen in QEMU, in virtual time.

import { beforeAll, describe, expect, it } from "vitest";
import { roles, rolesOf } from "../compiler/plan/roles.js";
import { LaunchStatus } from "../contract/receipt.js";
import { loadBootDomain, simulateLaunch } from "../simulator/simulate.js";
import { parseReceiptLines, withoutTimes } from "../xen-model/receipt.js";
import { type Booted, booted, compiled, compiledExample } from "./lab-bench.js";

const hello = {
  kernel: "build/guests/hello.elf",
  memory: "64 MiB",
  output: "xen-log",
} as const;
const probe = { ...hello, kernel: "build/guests/probe.elf" } as const;

describe("examples/two-linux", () => {
  let launch: Booted;

  beforeAll(async () => {
    const { image, xenCommandLine } = await compiledExample("two-linux/launch.yaml");
    launch = await booted(image, xenCommandLine);
  });

  it("[RFC-CREATE] brings two Debian Linux domains to userspace on real Xen", () => {
    expect(launch.outcome.status).toBe("success");
    expect(launch.outputs.one).toContain("domb: hello from one");
    expect(launch.outputs.two).toContain("domb: hello from two");
  });

  it("[RFC-EXIT] ends with launch status success and no boot domain", () => {
    expect(launch.outcome.bootDomain.exited).toBe(true);
    expect(launch.outcome.bootDomain.status).toBe(LaunchStatus.success);
  });

  it("leaves the receipt that the simulator foretells, times apart", async () => {
    const { image } = await compiledExample("two-linux/launch.yaml");
    const wasm = await loadBootDomain();
    const { receipt } = simulateLaunch(image, { wasm, freePages: 0x100000 });
    const real = parseReceiptLines(launch.outcome.receiptLines);
    expect(real && withoutTimes(real)).toEqual(withoutTimes(receipt));
  });

  it("starts each domain before it shows its marker", () => {
    for (const { startedAtNs, markerAtNs } of launch.outcome.domains) {
      expect(startedAtNs ?? Number.NaN).toBeLessThan(markerAtNs ?? Number.NaN);
    }
  });
});

describe("examples/static-partitions", () => {
  it("leaves two domains and nobody with a privilege over them", async () => {
    const { image, plan, xenCommandLine } = await compiledExample("static-partitions/launch.yaml");
    const { outcome, outputs } = await booted(image, xenCommandLine);
    expect(outcome.status).toBe("success");
    expect(outputs.controller).toContain("ticker: 0");
    expect(outputs.logger).toContain("hello: logger");
    expect(rolesOf(plan.dropped)).toEqual(roles);
  });
});

describe("a launch with Linux and a kernel that is not", () => {
  let launch: Booted;

  beforeAll(async () => {
    const { image, xenCommandLine } = await compiledExample("linux-and-hello/launch.yaml");
    launch = await booted(image, xenCommandLine);
  });

  it("brings up both", () => {
    expect(launch.outcome.status).toBe("success");
    expect(launch.outputs.linux).toContain("in userspace: Linux 6.");
    expect(launch.outputs.hello).toContain("hello: beside Linux");
  });

  it("gives a domain the domid that its description asks for", () => {
    expect(launch.xenLog).toContain("(d40) ");
  });

  it("keeps a domain without output silent", () => {
    expect(
      launch.outcome.domains.find(({ name }) => name === "silent")?.startedAtNs,
    ).not.toBeNull();
    expect(launch.outputs.silent).toBe("");
    expect(launch.xenLog).not.toContain("nobody hears this");
  });
});

describe("a launch of tiny kernels", () => {
  it("takes the same virtual nanoseconds each time", async () => {
    const { image, xenCommandLine } = await compiled({ domb: 1, domains: { a: hello, b: probe } });
    const first = await booted(image, xenCommandLine);
    const second = await booted(image, xenCommandLine);
    expect(first.outcome.status).toBe("success");
    expect(second.outcome.domains.map(({ markerAtNs }) => markerAtNs)).toEqual(
      first.outcome.domains.map(({ markerAtNs }) => markerAtNs),
    );
    expect(second.outcome.receiptLines).toEqual(first.outcome.receiptLines);
  });

  it("gives domains of 64 MiB and of 5 GiB all their memory, below and above 4 GiB", async () => {
    const { image, xenCommandLine, demand } = await compiled({
      domb: 1,
      domains: {
        small: { ...probe, cmdline: "small" },
        large: { ...probe, cmdline: "large", memory: "5 GiB" },
      },
    });
    const { outcome, outputs } = await booted(image, xenCommandLine, {
      hostMemoryBytes: demand.totalBytes,
    });
    expect(outcome).toMatchObject({ status: "success" });
    expect(outputs.small).toContain("probe: ok");
    expect(outputs.large).toContain("probe: ok");
    expect(outputs.large).toContain("probe: memory 100000000 size 50000000 type 1");
  });

  it("starts eight domains on a host with just the memory that the compiler asks for", async () => {
    const names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    const { image, xenCommandLine, demand } = await compiled({
      domb: 1,
      domains: Object.fromEntries(names.map((name) => [name, { ...hello, cmdline: name }])),
    });
    const { outcome } = await booted(image, xenCommandLine, { hostMemoryBytes: demand.totalBytes });
    expect(outcome).toMatchObject({ status: "success" });
  });
});
