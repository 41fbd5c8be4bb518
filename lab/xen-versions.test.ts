// SPDX-License-Identifier: Apache-2.0
// Launches on upstream's Xen 4.23, and launches on another Xen than they were compiled for.

import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";
import type { CompiledLaunch } from "../compiler/compile.js";
import { type XenVersion, xenVersions } from "../compiler/image/xen-versions.js";
import { LaunchStatus } from "../contract/receipt.js";
import { XEN_EACCES } from "../contract/xen-abi.js";
import { guestKernel } from "../guests/build.js";
import { generateXenAbi, xenAbiPath } from "../hypervisor/abi/generate.js";
import { efiPaths } from "../media/unified-xen.js";
import { paths } from "../setup/paths.js";
import { loadBootDomain, simulateLaunch } from "../simulator/simulate.js";
import { parseReceiptLines, withoutTimes } from "../xen-model/receipt.js";
import { withBootDomain } from "./altered-boot-domain.js";
import { expectedDomains, partsOf, SecureBootBench } from "./boot-media/efi-bench.js";
import { bootEntryVariables } from "./boot-media/firmware-variables.js";
import { type Booted, booted, compiled } from "./lab-bench.js";
import { needingUpstream, prepareUpstream, upstreamArchive } from "./upstream-xen.js";

const guest = { memory: "64 MiB", output: "xen-log" } as const;
const launch = {
  domb: 1,
  domains: {
    first: { ...guest, kernel: "build/guests/hello.elf", cmdline: "on upstream's Xen" },
    second: { ...guest, kernel: "build/guests/probe.elf" },
  },
} as const;
const names = Object.keys(launch.domains);

/** Its first run compiles Xen. */
const PREPARATION_MS = 3_600_000;

describe.skipIf(upstreamArchive === undefined)(needingUpstream("upstream's Xen 4.23"), () => {
  const launches = new Map<XenVersion, CompiledLaunch>();

  async function bootedOn(xen: XenVersion, image: XenVersion): Promise<Booted> {
    const compiledLaunch = launches.get(image);
    if (compiledLaunch === undefined) throw new Error(`no launch for ${image}`);
    const until = names.map((domain) => ({ domain, text: "domb: domain is up" }));
    return booted(compiledLaunch.image, compiledLaunch.xenCommandLine, { xen, until });
  }

  beforeAll(async () => {
    await prepareUpstream();
    for (const xen of xenVersions) launches.set(xen, await compiled(launch, { xen }));
  }, PREPARATION_MS);

  it("has the constants that contract/ has for it", async () => {
    expect(await readFile(xenAbiPath("4.23"), "utf8")).toBe(
      await generateXenAbi(paths.xenInclude("4.23")),
    );
  });

  it("starts from a signed medium, and takes no option from the firmware's boot entry", async () => {
    const bench = await SecureBootBench.open();
    try {
      const own = await compiled(launch, { xen: "4.23" });
      const program = await bench.signed(await partsOf(own, "4.23"), { xen: "4.23" });
      const { status, lines } = await bench.boot(program, expectedDomains(own), {
        bootEntry: bootEntryVariables(efiPaths.x86_64, "xen.efi -- bootscrub=0"),
      });
      expect(status).toBe("success");
      expect(lines.join("\n")).toContain("Xen version 4.23");
    } finally {
      await bench.close();
    }
  });

  it("[RFC-ALIKE] runs a launch that is compiled for it and for arm64", async () => {
    const kernel = (name: "probe" | "cpus") => guestKernel(name, "arm64");
    const { image, xenCommandLine } = await compiled(
      {
        domb: 1,
        domains: {
          first: { ...guest, kernel: kernel("probe") },
          second: { ...guest, kernel: kernel("cpus"), vcpus: 2 },
        },
      },
      { xen: "4.23" },
    );
    const { outcome, xenLog } = await booted(image, xenCommandLine, { xen: "4.23" });
    expect(outcome).toMatchObject({ arch: "arm64", status: "success" });
    expect(xenLog).toContain("Xen version 4.23");
  });

  describe("a launch for it", () => {
    let result: Booted;

    beforeAll(async () => {
      result = await bootedOn("4.23", "4.23");
    });

    it("[RFC-CREATE] brings two PVH domains up on upstream's Xen", () => {
      expect(result.outcome).toMatchObject({ status: "success" });
      expect(result.xenLog).toContain("Xen version 4.23");
      expect(result.outputs.first).toContain("hello: on upstream's Xen");
      expect(result.outputs.second).toContain("probe: ok");
    });

    it("[RFC-EXIT] ends with launch status success and no boot domain on upstream's Xen", () => {
      const { exited, status } = result.outcome.bootDomain;
      expect({ exited, status }).toEqual({ exited: true, status: LaunchStatus.success });
    });

    it("leaves the receipt that the simulator foretells for Debian's Xen, times apart", async () => {
      const image = launches.get("4.17")?.image ?? new Uint8Array();
      const { receipt } = simulateLaunch(image, {
        wasm: await loadBootDomain(),
        freePages: 0x100000,
      });
      const real = parseReceiptLines(result.outcome.receiptLines);
      expect(real && withoutTimes(real)).toEqual(withoutTimes(receipt));
    });
  });

  const others: [xen: XenVersion, bootDomain: XenVersion, image: XenVersion][] = [
    ["4.23", "4.17", "4.17"],
    ["4.23", "4.23", "4.17"],
    ["4.17", "4.23", "4.23"],
    ["4.17", "4.17", "4.23"],
  ];

  it.each(others)(
    "[RFC-EXIT] on Xen %s a boot domain for %s refuses an image for %s before it creates anything",
    async (xen, bootDomain, image) => {
      const result = await withBootDomain(paths.bootDomain(bootDomain), () => bootedOn(xen, image));
      expect(result.outcome).toMatchObject({
        status: "failed",
        reason: expect.stringContaining("imageTarget"),
        bootDomain: { exited: true, status: LaunchStatus.imageTarget },
      });
      const receipt = parseReceiptLines(result.outcome.receiptLines);
      // The boot domain tells an image that is not its own; Xen, a boot domain that is not.
      expect(receipt?.error).toBe(bootDomain === image ? XEN_EACCES : 0);
      expect(receipt?.domains.map(({ state }) => state)).toEqual(
        bootDomain === image ? names.map(() => "absent") : [],
      );
      expect(result.xenLog).not.toContain("hello: ");
    },
  );
});
