// SPDX-License-Identifier: Apache-2.0
// A control domain reads from Xen how its host was started, when the boot domain is long gone.

import { beforeAll, describe, expect, it } from "vitest";
import { privilegesOf } from "../compiler/plan/roles.js";
import { XEN_DOMCTL_CDF_control } from "../contract/xen-abi.js";
import { guestKernel } from "../guests/build.js";
import type { Architecture } from "../setup/paths.js";
import { decodeKeptReceipt, type KeptReceipt } from "./kept-receipt.js";
import { booted, compiled, everyArchitecture } from "./lab-bench.js";

const own = { memory: "32 MiB", output: "xen-log" } as const;

/** Boots a launch whose control domain reads the receipt; more words for QEMU if wanted. */
async function readReceipt(
  architecture: Architecture,
  qemuOptions: readonly string[] = [],
): Promise<KeptReceipt> {
  const { image, xenCommandLine } = await compiled({
    domb: 1,
    domains: {
      manager: { ...own, kernel: guestKernel("receipt", architecture), roles: ["control"] },
      hello: { ...own, kernel: guestKernel("hello", architecture) },
    },
  });
  const { outcome, outputs } = await booted(image, xenCommandLine, { qemuOptions });
  expect(outcome.status).toBe("success");
  const digits = (outputs.manager ?? "").matchAll(/^receipt: ([0-9a-f]+)$/gm);
  return decodeKeptReceipt(Buffer.from([...digits].map(([, text]) => text).join(""), "hex"));
}

describe.each(everyArchitecture)("the receipt that Xen keeps on %s", (_, architecture) => {
  let receipt: KeptReceipt;
  beforeAll(async () => {
    receipt = await readReceipt(architecture);
  });

  it("has Xen's own times of the launch and of each domain, in their order", () => {
    const { beganNs, endedNs, domains } = receipt;
    expect(domains.map(({ domid }) => domid)).toEqual([1, 2]);
    for (const { createdNs, startedNs } of domains) {
      const times = [beganNs, createdNs, startedNs, endedNs];
      expect(times).toEqual([...times].sort((a, b) => a - b));
      expect(createdNs).toBeGreaterThan(beganNs);
    }
  });

  it("says who was given which privilege, and what nobody can have", () => {
    const [manager, hello] = receipt.domains;
    expect((manager?.flags ?? 0) & XEN_DOMCTL_CDF_control).not.toBe(0);
    expect((hello?.flags ?? 0) & XEN_DOMCTL_CDF_control).toBe(0);
    expect(receipt.dropped).toBe(privilegesOf(["xenstore", "console", "hardware"]));
  });

  it("ends with the boot domain's own, of the same launch", () => {
    expect(receipt.status).toBe(0);
    expect(receipt.own).toMatchObject({ status: 0, domains: [{ domid: 1 }, { domid: 2 }] });
    expect(receipt.own.planDigest).toMatch(/^[0-9a-f]{64}$/);
  });

  it("says that devices could access memory, where there is no IOMMU", () => {
    expect(receipt.dmaOpen).toBe(true);
  });
});

describe("on a host with AMD's IOMMU, on x86-64", () => {
  it("says that they could not", async () => {
    const { dmaOpen } = await readReceipt("x86_64", ["-device", "amd-iommu"]);
    expect(dmaOpen).toBe(false);
  });
});
