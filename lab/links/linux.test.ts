// SPDX-License-Identifier: Apache-2.0
// Links as programs of Linux use them, on real Xen: the example, and two domains that use theirs in
// each way, rightly and wrongly.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newcArchive } from "../../setup/newc.js";
import { type Architecture, paths } from "../../setup/paths.js";
import {
  type Booted,
  booted,
  compiled,
  compiledExample,
  everyArchitecture,
  linux,
} from "../lab-bench.js";

const folder = join(paths.checkout, "lab", "links");

/** What a domain has said, in its order; Linux puts the time before each line. */
function saidBy({ outputs }: Booted, name: string): string[] {
  const lines = (outputs[name] ?? "").matchAll(new RegExp(`\\] ${name}: (.*)$`, "gm"));
  return [...lines].map(([, text = ""]) => text.trim());
}

/** The example's ramdisk with the test's own program and first process behind it. */
async function writeRamdisk(architecture: Architecture, directory: string): Promise<string> {
  const prefix = architecture === "x86_64" ? "" : "aarch64-linux-gnu-";
  const program = join(directory, "trespass");
  await execa(`${prefix}gcc`, [
    ...["-std=gnu11", "-O2", "-Wall", "-Werror", "-static", "-s", "-D__XEN_TOOLS__"],
    ...["-idirafter", paths.xenInclude(), join(folder, "trespass.c"), "-o", program],
  ]);
  const file = async (path: string, source: string) =>
    ({ path, kind: "file", mode: 0o755, content: await readFile(source) }) as const;
  const own = newcArchive([
    await file("bin/trespass", program),
    await file("init", join(folder, "init.sh")),
  ]);
  const ramdisk = join(directory, "ramdisk");
  const common = await readFile(paths.exampleRamdisk("links", architecture));
  // Linux unpacks archives one after the other, each at a multiple of four bytes.
  const padding = Buffer.alloc(-common.length & 3);
  await writeFile(ramdisk, Buffer.concat([common, padding, own]));
  return ramdisk;
}

describe.each(everyArchitecture)("the example of links on %s", (_, architecture) => {
  it("passes bytes both ways, between Linux and a kernel that is not, and between two Linuxes", async () => {
    const { image, xenCommandLine } = await compiledExample("links", architecture);
    const result = await booted(image, xenCommandLine);
    expect(result.outcome.status).toBe("success");
    for (const number of [1, 2, 3]) {
      expect(result.outputs.sensor).toContain(`sensor: asked, number ${number}`);
      expect(saidBy(result, "logger")).toContain(`the sensor wrote: reading ${number}`);
      expect(saidBy(result, "viewer")).toContain(`the logger wrote: reading ${number}`);
      expect(saidBy(result, "logger")).toContain(`the viewer wrote: seen: reading ${number}`);
    }
  });
});

describe.each(everyArchitecture)("programs of Linux on %s", (_, architecture) => {
  let directory: string;
  let result: Booted;
  let owner: readonly string[];
  let other: readonly string[];

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "domb-links-"));
    const ramdisk = await writeRamdisk(architecture, directory);
    const domain = (words: string) => ({
      ...linux(architecture, `printk.devkmsg=on ${words}`),
      ramdisk,
    });
    const { image, xenCommandLine } = await compiled({
      domb: 1,
      domains: {
        owner: domain("domain=owner"),
        // Of the memory that it may read: whose it is, and its reference.
        other: domain("domain=other view=1:2559"),
      },
      links: [
        { kind: "event-channel", name: "bell", between: ["owner", "other"] },
        { kind: "shared-memory", name: "page", size: "8 KiB", writers: ["owner", "other"] },
        {
          ...{ kind: "shared-memory", name: "view", size: "4 KiB" },
          ...{ writers: ["owner"], readers: ["other"] },
        },
      ],
    });
    result = await booted(image, xenCommandLine);
    owner = saidBy(result, "owner");
    other = saidBy(result, "other");
  });

  afterAll(async () => {
    await rm(directory, { recursive: true });
  });

  it("list the links of their domain", () => {
    expect(owner.slice(0, 3)).toEqual([
      "bell: event channel, own port 1, for domain 2",
      "page: memory of its own, 8192 bytes, to read and write",
      "view: memory of its own, 4096 bytes, to read and write",
    ]);
    expect(other.slice(0, 3)).toEqual([
      "bell: event channel, to port 1 of domain 1",
      "page: memory of domain 1, 8192 bytes, to read and write",
      "view: memory of domain 1, 4096 bytes, to read",
    ]);
  });

  it("pass bytes both ways, and wake each other", () => {
    expect(result.outcome.status).toBe("success");
    expect(owner).toContain("channel first: ready");
    expect(other).toContain("channel first: ready");
    expect(other).toContain("page: from the owner");
    expect(owner).toContain("page: from the other");
  });

  it("can take a channel up again after those that had it have ended", () => {
    expect(owner).toContain("channel second: ready");
    expect(other).toContain("channel second: ready");
    expect(owner).toContain("page: from the other again");
  });

  it("are told what they can't do", () => {
    expect(owner).toContain("domb-link: bell is in use by another program of this domain");
    expect(other).toContain("domb-link: page holds 8192 bytes: what is more was left out");
    expect(other).toContain("domb-link: view is for this domain to read, not to write");
    expect(other).toContain("domb-link: /proc/cmdline has no domb.link.nothing");
    expect(other).toContain("domb-link: page is memory");
  });

  it("can't map to write what they may read: Xen refuses it", () => {
    expect(other).toContain("map to write: Invalid argument");
    expect(other).toContain("map to read: done");
  });

  it("are stopped by the hardware when they write to what they may read, and change nothing", () => {
    expect(other).toContain("have Linux allow it: done");
    // On x86-64 Xen drops the write; on arm64 the processor tries it until an alarm ends that.
    expect(other).toContain(`write: ${architecture === "arm64" ? "Alarm clock" : "done"}`);
    expect(other).toContain("changed: no");
    expect(owner).toContain("view: to be read");
  });
});
