// SPDX-License-Identifier: Apache-2.0
// EFI firmware of an arm64 machine that enforces Secure Boot, with a key that this test makes and
// enrols: it starts the launch that the key has signed, and no other.

import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CompiledLaunch } from "../../compiler/compile.js";
import type { LaunchParts } from "../../media/launch-parts.js";
import { efiPaths, xenConfiguration } from "../../media/unified-xen.js";
import { paths } from "../../setup/paths.js";
import { compiled } from "../lab-bench.js";
import type { ExpectedDomain } from "../launch-observer.js";
import { expectedDomains, partsOf, SecureBootBench, withChangedByte } from "./efi-bench.js";
import { bootEntryVariables } from "./firmware-variables.js";

const hello = {
  kernel: "build/guests/arm64/hello.elf",
  memory: "64 MiB",
  output: "xen-log",
} as const;

let bench: SecureBootBench;
let launch: CompiledLaunch;
let parts: LaunchParts;
let domains: readonly ExpectedDomain[];
let boardTree: Uint8Array;
let signed: Uint8Array;

beforeAll(async () => {
  bench = await SecureBootBench.open("arm64");
  launch = await compiled({
    domb: 1,
    policy: { xsm: "build/xen-policy/policy" },
    domains: { first: hello, second: hello },
  });
  parts = await partsOf(launch);
  domains = expectedDomains(launch);
  boardTree = await readFile(paths.arm64Board);
  signed = await bench.signed(parts, { boardTree });
});

afterAll(async () => {
  await bench.close();
});

describe("arm64 firmware that enforces Secure Boot", () => {
  it("starts a signed launch, with its policy and board, and every domain comes up", async () => {
    const { status, lines } = await bench.boot(signed, domains);
    expect({ status, lines: status === "success" ? [] : lines }).toEqual({
      status: "success",
      lines: [],
    });
    const log = lines.join("\n");
    expect(log).toContain("Using builtin config file");
    expect(log).toContain("Flask:  Starting in enforcing mode.");
  });

  it("refuses the same launch without a signature, or with a stranger's", async () => {
    for (const program of [
      await bench.unsigned(parts, { boardTree }),
      await bench.signed(parts, { boardTree, key: bench.stranger }),
    ]) {
      const boot = await bench.boot(program, domains);
      expect(boot).toMatchObject({ status: "refused", reason: /Access Denied$/ });
      expect(boot.lines.join("\n")).not.toContain("EFI loader");
    }
  });

  it.each([".text", ".config", ".dtb", ".kernel", ".ramdisk", ".xsm"])(
    "refuses it with one byte changed in %s",
    async (section) => {
      const boot = await bench.boot(withChangedByte(signed, section), domains);
      expect(boot).toMatchObject({ status: "refused", reason: /Access Denied|Security Violation/ });
      expect(boot.lines.join("\n")).not.toContain("EFI loader");
    },
  );

  it("can't have its boot entry add an option to Xen's command line", async () => {
    const bootEntry = bootEntryVariables(efiPaths.arm64, "xen.efi -- bootscrub=0");
    const { status, lines } = await bench.boot(signed, domains, { bootEntry });
    expect(status).toBe("success");
    expect(lines.join("\n")).toContain('"domb entry"');

    const configuration = xenConfiguration(parts).replace("ignore-load-options=yes\n", "");
    const open = await bench.signed(parts, { boardTree, configuration });
    const added = await bench.boot(open, domains, { bootEntry });
    expect(added).toMatchObject({ status: "died", reason: /scrub/ });
  });
});
