// SPDX-License-Identifier: Apache-2.0
// Launches on real Xen in QEMU, in virtual time.

import { beforeAll, describe, expect, it } from "vitest";
import { roles, rolesOf } from "../compiler/plan/roles.js";
import { MAX_VCPUS } from "../contract/limits.js";
import { LaunchStatus } from "../contract/receipt.js";
import { guestKernel } from "../guests/build.js";
import type { Architecture } from "../setup/paths.js";
import { loadBootDomain, simulateLaunch } from "../simulator/simulate.js";
import { machines } from "../xen-model/machines.js";
import { parseReceiptLines, withoutTimes } from "../xen-model/receipt.js";
import { type Booted, booted, compiled, compiledExample, everyArchitecture } from "./lab-bench.js";

const guest = { memory: "64 MiB", output: "xen-log" } as const;

describe.each(everyArchitecture)("examples/two-linux on %s", (_, architecture) => {
  let launch: Booted;

  beforeAll(async () => {
    const { image, xenCommandLine } = await compiledExample("two-linux", architecture);
    launch = await booted(image, xenCommandLine);
  });

  it("[RFC-CREATE] [RFC-ALIKE] brings two Debian Linux domains to userspace on real Xen", () => {
    expect(launch.outcome.status).toBe("success");
    expect(launch.outputs.one).toContain("domb: hello from one");
    expect(launch.outputs.two).toContain("domb: hello from two");
  });

  it("[RFC-EXIT] ends with launch status success and no boot domain", () => {
    expect(launch.outcome.bootDomain.exited).toBe(true);
    expect(launch.outcome.bootDomain.status).toBe(LaunchStatus.success);
  });

  it("leaves the receipt that the simulator foretells, times apart", async () => {
    const { image } = await compiledExample("two-linux", architecture);
    const wasm = await loadBootDomain();
    const machine = machines[architecture];
    const { receipt } = simulateLaunch(image, { wasm, machine, freePages: 0x100000 });
    const real = parseReceiptLines(launch.outcome.receiptLines);
    expect(real && withoutTimes(real)).toEqual(withoutTimes(receipt));
  });

  it("starts each domain before it shows its marker", () => {
    for (const { startedAtNs, markerAtNs } of launch.outcome.domains) {
      expect(startedAtNs ?? Number.NaN).toBeLessThan(markerAtNs ?? Number.NaN);
    }
  });

  it("hears the domains when the boot domain is gone", () => {
    const lines = launch.xenLog.split("\n");
    const last = (text: string) => lines.findLastIndex((line) => line.includes(text));
    expect(last("Boot domain destroyed")).toBeGreaterThan(0);
    expect(last("domb: hello from one")).toBeGreaterThan(last("Boot domain destroyed"));
  });
});

describe.each(everyArchitecture)("examples/static-partitions on %s", (_, architecture) => {
  it("leaves two domains and nobody with a privilege over them", async () => {
    const launch = await compiledExample("static-partitions", architecture);
    const { outcome, outputs } = await booted(launch.image, launch.xenCommandLine);
    expect(outcome.status).toBe("success");
    expect(outputs.controller).toContain("ticker: 0");
    expect(outputs.logger).toContain("hello: logger");
    expect(rolesOf(launch.plan.dropped)).toEqual(roles);
  });
});

describe("a launch with Linux and a kernel that is not", () => {
  it("brings up both", async () => {
    const { image, xenCommandLine } = await compiledExample("linux-and-hello");
    const launch = await booted(image, xenCommandLine);
    expect(launch.outcome.status).toBe("success");
    expect(launch.outputs.linux).toContain("in userspace: Linux 6.");
    expect(launch.outputs.hello).toContain("hello: beside Linux");
  });
});

/** What the registers of a vCPU say that it is. */
const vcpuIds: Readonly<Record<Architecture, (vcpu: number) => number>> = {
  // Of its local APIC.
  x86_64: (vcpu) => vcpu * 2,
  // Its affinity: sixteen to a cluster.
  arm64: (vcpu) => ((vcpu >> 4) << 8) | (vcpu & 15),
};

/** Numbers and ids of the vCPUs that guests/cpus says it has started, in this order. */
function vcpusIn(output = ""): readonly (readonly [number: number, id: number])[] {
  const lines = output.matchAll(/^cpus: (\w+) runs, its own id is (\w+)$/gm);
  return [...lines].map(([, number = "", id = ""]) => [
    Number.parseInt(number, 16),
    Number.parseInt(id, 16),
  ]);
}

function expectedVcpus(architecture: Architecture, count: number) {
  return Array.from({ length: count }, (_, vcpu) => [vcpu, vcpuIds[architecture](vcpu)]);
}

describe.each(everyArchitecture)("examples/several-vcpus on %s", (_, architecture) => {
  let launch: Booted;

  beforeAll(async () => {
    const { image, xenCommandLine } = await compiledExample("several-vcpus", architecture);
    launch = await booted(image, xenCommandLine);
  });

  it("brings Linux to userspace with all its vCPUs online", () => {
    expect(launch.outcome.status).toBe("success");
    expect(launch.outputs.linux).toContain("smp: Brought up 1 node, 4 CPUs");
    expect(launch.outputs.linux).toContain("domb: hello from linux");
  });

  it("gives Linux nothing to complain of in its tables and its vCPUs' caches", () => {
    expect(launch.outputs.linux).not.toMatch(/ACPI (BIOS )?(Error|Warning)|inconsistent MTRR/);
  });

  it("has a kernel that is not Linux start each vCPU by its number", () => {
    expect(vcpusIn(launch.outputs.cpus)).toEqual(expectedVcpus(architecture, 8));
  });
});

/** Memory that a guest's lower addresses do not hold, and what probe says of the rest. */
const above = {
  x86_64: { memory: "5 GiB", said: "probe: memory 100000000 size 50000000 type 1" },
  arm64: { memory: "3200 MiB", said: "probe: memory 200000000 size 8000000 type 1" },
};

describe.each(everyArchitecture)("a launch of tiny kernels on %s", (_, architecture) => {
  const hello = { ...guest, kernel: guestKernel("hello", architecture) };
  const probe = { ...guest, kernel: guestKernel("probe", architecture) };

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

  it("gives a domain the domid that is asked for, and keeps one without output silent", async () => {
    const { image, xenCommandLine } = await compiled({
      domb: 1,
      domains: {
        heard: { ...hello, domid: 40, cmdline: "everybody hears this" },
        silent: { ...hello, output: "none", cmdline: "nobody hears this" },
      },
    });
    const { outcome, outputs, xenLog } = await booted(image, xenCommandLine);
    expect(outcome.status).toBe("success");
    expect(xenLog).toContain("(d40) ");
    expect(outputs.heard).toContain("hello: everybody hears this");
    expect(outcome.domains.find(({ name }) => name === "silent")?.startedAtNs).not.toBeNull();
    expect(outputs.silent).toBe("");
    expect(xenLog).not.toContain("nobody hears this");
  });

  it("gives domains of 64 MiB and more than fits below all their memory, in both places", async () => {
    const { image, xenCommandLine, demand } = await compiled({
      domb: 1,
      domains: {
        small: { ...probe, cmdline: "small" },
        large: { ...probe, cmdline: "large", memory: above[architecture].memory },
      },
    });
    const { outcome, outputs } = await booted(image, xenCommandLine, {
      hostMemoryBytes: demand.totalBytes,
    });
    expect(outcome).toMatchObject({ status: "success" });
    expect(outputs.small).toContain("probe: ok");
    expect(outputs.large).toContain("probe: ok");
    expect(outputs.large).toContain(above[architecture].said);
  });

  it("gives a domain as many vCPUs as there can be, on a host with just the memory for them", async () => {
    const cpus = { ...guest, kernel: guestKernel("cpus", architecture), vcpus: MAX_VCPUS };
    const { image, xenCommandLine, demand } = await compiled({ domb: 1, domains: { cpus } });
    const { outcome, outputs } = await booted(image, xenCommandLine, {
      hostMemoryBytes: demand.totalBytes,
    });
    expect(outcome).toMatchObject({ status: "success" });
    expect(vcpusIn(outputs.cpus)).toEqual(expectedVcpus(architecture, MAX_VCPUS));
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
