// SPDX-License-Identifier: Apache-2.0
// EFI firmware that enforces Secure Boot, with a key that this test makes and enrols: it starts the
// launch that the key has signed, and no other.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CompiledLaunch } from "../../compiler/compile.js";
import type { LaunchParts } from "../../media/launch-parts.js";
import { efiPaths, xenConfiguration } from "../../media/unified-xen.js";
import { compiled } from "../lab-bench.js";
import type { ExpectedDomain } from "../launch-observer.js";
import { expectedDomains, partsOf, SecureBootBench, withChangedByte } from "./efi-bench.js";
import { bootEntryVariables } from "./firmware-variables.js";

const hello = { kernel: "build/guests/hello.elf", memory: "64 MiB", output: "xen-log" } as const;

let bench: SecureBootBench;
let launch: CompiledLaunch;
let parts: LaunchParts;
let domains: readonly ExpectedDomain[];
let signed: Uint8Array;

beforeAll(async () => {
  bench = await SecureBootBench.open();
  launch = await compiled({
    domb: 1,
    policy: { xsm: "build/xen-policy/policy" },
    domains: { first: hello, second: hello },
  });
  parts = await partsOf(launch);
  domains = expectedDomains(launch);
  signed = await bench.signed(parts);
});

afterAll(async () => {
  await bench.close();
});

describe("firmware that enforces Secure Boot", () => {
  it("starts a signed launch, with its policy, and every domain comes up", async () => {
    const { status, lines } = await bench.boot(signed, domains);
    expect({ status, lines: status === "success" ? [] : lines }).toEqual({
      status: "success",
      lines: [],
    });
    const log = lines.join("\n");
    expect(log).toContain("Using builtin config file");
    expect(log).toMatch(/Command line: boot-domain=\d+M .*flask=enforcing/);
    expect(log).toContain("Flask:  Starting in enforcing mode.");
  });

  it("refuses the same launch without a signature", async () => {
    const boot = await bench.boot(await bench.unsigned(parts), domains);
    expect(boot).toMatchObject({ status: "refused", reason: /Access Denied$/ });
    expect(boot.lines.join("\n")).not.toContain("EFI loader");
  });

  it("refuses it signed by a key that it does not know", async () => {
    const boot = await bench.boot(await bench.signed(parts, { key: bench.stranger }), domains);
    expect(boot).toMatchObject({ status: "refused", reason: /Access Denied$/ });
  });

  it.each([".text", ".config", ".kernel", ".ramdisk", ".xsm"])(
    "refuses it with one byte changed in %s",
    async (section) => {
      const boot = await bench.boot(withChangedByte(signed, section), domains);
      expect(boot).toMatchObject({ status: "refused", reason: /Access Denied|Security Violation/ });
      expect(boot.lines.join("\n")).not.toContain("EFI loader");
    },
  );
});

describe("the firmware's boot entry, which nobody signs", () => {
  /** What the launch comes to when a boot entry adds these words. */
  function bootWith(loadOptions: string, program = signed) {
    return bench.boot(program, domains, {
      bootEntry: bootEntryVariables(efiPaths.x86_64, loadOptions),
    });
  }

  it("can't add an option to Xen's command line", async () => {
    const { status, lines } = await bootWith("xen.efi -- bootscrub=0");
    expect(status).toBe("success");
    expect(lines.join("\n")).toContain('"domb entry"');
    expect(lines.join("\n")).not.toContain("bootscrub=0");
  });

  it("can't have Xen start without its options", async () => {
    expect((await bootWith("xen.efi nothing")).status).toBe("success");
  });

  it("could do both if the configuration did not forbid it", async () => {
    const configuration = xenConfiguration(parts).replace("ignore-load-options=yes\n", "");
    const open = await bench.signed(parts, { configuration });
    const added = await bootWith("xen.efi -- bootscrub=0", open);
    expect(added).toMatchObject({ status: "died", reason: /scrub/ });
  });
});
