// SPDX-License-Identifier: Apache-2.0
// A launch from a disk as GRUB starts it on a BIOS: Debian's grub-mkrescue makes the disk.

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { grubFiles } from "../../media/grub.js";
import { placeFiles } from "../../media/place-files.js";
import { paths } from "../../setup/paths.js";
import { compiled } from "../lab-bench.js";
import { expectedDomains, partsOf, timeLimitSeconds } from "./efi-bench.js";
import { bootMedia } from "./media-host.js";

const hello = { kernel: "build/guests/hello.elf", memory: "64 MiB", output: "xen-log" } as const;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "domb-grub-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

describe("GRUB", () => {
  it("starts a launch with its policy from a disk", async () => {
    const launch = await compiled({
      domb: 1,
      policy: { xsm: "build/xen-policy/policy" },
      domains: { first: hello, second: hello },
    });
    const files = grubFiles(await readFile(paths.xen()), await partsOf(launch));
    const [medium, disk] = [join(folder, "medium"), join(folder, "disk")];
    await placeFiles(medium, files);
    await execa("grub-mkrescue", ["-o", disk, medium, "--directory=/usr/lib/grub/i386-pc"]);
    const { status, lines } = await bootMedia({
      machine: { kind: "bios", disk },
      domains: expectedDomains(launch),
      timeLimitSeconds,
    });
    expect({ status, lines: status === "success" ? [] : lines }).toEqual({
      status: "success",
      lines: [],
    });
    const log = lines.join("\n");
    expect(log).toContain("Bootloader: GRUB 2.");
    expect(log).toMatch(/Command line: .*boot-domain=\d+M .*flask=enforcing/);
    expect(log).toContain("Flask:  Starting in enforcing mode.");
  });
});
