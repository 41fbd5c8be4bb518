// SPDX-License-Identifier: Apache-2.0
// What is left of the boot domain once it is gone: nothing, neither in Xen's count of pages nor in
// any byte of the host's memory.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ImageHeader } from "../contract/image.js";
import { PAGE_SIZE } from "../contract/limits.js";
import { guestKernel } from "../guests/build.js";
import { hosts } from "./host.js";
import { dumpHostMemory, occurrencesInFile, removeDump } from "./host-memory.js";
import { type Booted, booted, compiled, everyArchitecture } from "./lab-bench.js";

/** Xen scrubs freed pages while it is idle; each dump lets it go on for a while. */
const mostDumps = 30;
const hostMemoryBytes = 512 * 0x100000;
const commandLine = "these words are in the guest's memory and in the image, and nowhere else";

describe.each(everyArchitecture)("after the exit of the boot domain on %s", (_, architecture) => {
  const { memoryStart } = hosts[architecture];
  let directory: string;
  let launch: Booted;
  let planDigest: Uint8Array;
  let materialDigests: readonly Uint8Array[];
  let bootDomainPages: number;
  let dump: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "domb-residue-"));
    dump = join(directory, "memory");
    const monitorSocket = join(directory, "monitor");
    const { image, plan, xenCommandLine } = await compiled({
      domb: 1,
      domains: {
        // Without output: Xen's own copy of the log would hold the command line too.
        hello: {
          kernel: guestKernel("hello", architecture),
          memory: "64 MiB",
          cmdline: commandLine,
        },
      },
    });
    planDigest = image.slice(ImageHeader.planDigest, ImageHeader.size);
    materialDigests = plan.materials.map(({ digest }) => Buffer.from(digest, "hex"));
    const size = /boot-domain=(\d+)M/.exec(xenCommandLine)?.[1];
    bootDomainPages = (Number(size) * 0x100000) / PAGE_SIZE;
    launch = await booted(image, xenCommandLine, {
      hostMemoryBytes,
      monitorSocket,
      beforeEnd: async () => {
        for (let dumps = 0; dumps < mostDumps; dumps++) {
          await removeDump(dump);
          await dumpHostMemory(monitorSocket, { start: memoryStart, bytes: hostMemoryBytes }, dump);
          if ((await occurrencesInFile(dump, materialDigests[0] ?? planDigest)) === 0) return;
        }
      },
    });
  });

  afterAll(async () => {
    await removeDump(dump);
    await rm(directory, { recursive: true });
  });

  it("[RFC-EXIT] all its pages are back, with those of its paging structures and its vCPU", () => {
    const returned = launch.outcome.bootDomain.pagesReturned ?? 0;
    // Its paging pool: on x86-64 1 MiB for the vCPU and 4 KiB for each MiB of memory, rounded up to
    // MiBs; on arm64 a page for each 2 MiB of memory, and 32 more.
    const paging = architecture === "arm64" ? Math.floor(bootDomainPages / 512) + 32 : 512;
    expect(returned).toBeGreaterThanOrEqual(bootDomainPages + paging);
    expect(returned).toBeLessThan(bootDomainPages + paging + 64);
  });

  it("[RFC-EXIT] no page of the host holds a digest of the plan, which its memory held", async () => {
    for (const digest of materialDigests) expect(await occurrencesInFile(dump, digest)).toBe(0);
  });

  it("the plan's own digest is in the receipt that Xen keeps, and nowhere else", async () => {
    expect(await occurrencesInFile(dump, planDigest)).toBe(1);
  });

  it("the guest's memory is there to be found, once", async () => {
    expect(await occurrencesInFile(dump, Buffer.from(commandLine))).toBe(1);
  });
});
