// SPDX-License-Identifier: Apache-2.0
// Recovery on real Xen, by what was kept for it: its domain gets a privilege that one of the main
// plan had, and memory although that one has given away all that there was.

import { beforeAll, describe, expect, it } from "vitest";
import type { CompiledLaunch } from "../../compiler/compile.js";
import { encodeImage, encodeRecovery } from "../../compiler/image/encode-image.js";
import { PAGE_SIZE } from "../../contract/limits.js";
import { LaunchStatus } from "../../contract/receipt.js";
import {
  XEN_DOMCTL_CDF_control,
  XEN_DOMCTL_CDF_receipt,
  XEN_ENOMEM,
  XEN_EPERM,
} from "../../contract/xen-abi.js";
import { guestKernel } from "../../guests/build.js";
import { decodeKeptReceipt } from "../kept-receipt.js";
import { everyArchitecture } from "../lab-bench.js";
import { type BootedOrder, bootedOrder, compiledOrder, doing, statesIn } from "./order-bench.js";

const rescuePages = (96 * 0x100000) / PAGE_SIZE;

const bytesOf = (materials: CompiledLaunch["materials"]) => materials.map(({ bytes }) => bytes);

describe.each(everyArchitecture)("a recovery plan on %s", (_, architecture) => {
  let launch: CompiledLaunch;

  beforeAll(async () => {
    launch = await compiledOrder({
      hoarder: doing(architecture, "", {
        kernel: guestKernel("hoard", architecture),
        roles: ["control"],
        ready: { when: "signalled", within: "10 s" },
        onFailure: "recover",
      }),
      bystander: doing(architecture, "up"),
      rescue: doing(architecture, "", {
        kernel: guestKernel("receipt", architecture),
        memory: "96 MiB",
        roles: ["recovery", "control"],
      }),
    });
  });

  describe("of a domain with the main one's role", () => {
    let result: BootedOrder;
    beforeAll(async () => {
      result = await bootedOrder(launch);
    });

    it("runs when a started domain has failed, and nothing else is left", () => {
      expect(result.outcome).toMatchObject({
        status: "recovered",
        reason: "the main plan failed (ended: hoarder); the recovery plan's domains are up",
        bootDomain: { status: LaunchStatus.success },
      });
      const { main } = result.receipt;
      expect(main && statesIn(main)).toEqual({ hoarder: "destroyed", bystander: "destroyed" });
      expect(statesIn(result.receipt)).toEqual({ rescue: "started" });
    });

    it("has the memory that was kept for it, after all other was given away", () => {
      const [, digits = ""] = /hoard: pages ([0-9a-f]+)/.exec(result.xenLog) ?? [];
      expect(Number.parseInt(digits, 16)).toBeGreaterThan(rescuePages);
      expect(result.outputs.rescue).toContain("domb: domain is up");
    });

    it("has the role, and the right to read how the main plan failed", () => {
      const hexadecimal = (result.outputs.rescue ?? "").matchAll(/^receipt: ([0-9a-f]+)$/gm);
      const bytes = Buffer.from([...hexadecimal].map(([, text]) => text).join(""), "hex");
      const { domains, own } = decodeKeptReceipt(bytes);
      const privileges = XEN_DOMCTL_CDF_control | XEN_DOMCTL_CDF_receipt;
      expect((domains[0]?.flags ?? 0) & privileges).toBe(privileges);
      expect(own.main).toMatchObject({ status: LaunchStatus.ended, domain: 1 });
      expect(own).toEqual(result.receipt);
    });
  });

  it.each([
    ["memory", { reservedPages: 0 }, XEN_ENOMEM],
    ["role", { reservedPrivileges: 0 }, XEN_EPERM],
  ])("has no %s that was not kept for it", async (_what, changed, error) => {
    const { plan, materials, recovery, xenCommandLine } = launch;
    if (recovery === undefined) throw new Error("bug: no recovery plan");
    const behind = encodeRecovery(recovery.plan, bytesOf(recovery.materials), { architecture });
    const image = encodeImage({ ...plan, ...changed }, bytesOf(materials), {
      ...{ architecture, recovery: behind },
    });
    const { outcome, receipt } = await bootedOrder({ image, xenCommandLine });
    expect(outcome.status).toBe("failed");
    expect(receipt).toMatchObject({ status: LaunchStatus.hypercall, error });
    expect(receipt.main).toMatchObject({ status: LaunchStatus.ended });
  });
});
