// SPDX-License-Identifier: Apache-2.0
// A launch that fails again and again on a machine whose GRUB has an earlier one to fall back to:
// each start is one of several in a single run of QEMU, which the host's reboots divide.

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CompiledLaunch } from "../../compiler/compile.js";
import { grubFiles } from "../../media/grub.js";
import { earlierLaunch, launchTries } from "../../media/grub-fallback.js";
import type { LaunchParts } from "../../media/launch-parts.js";
import { placeFiles } from "../../media/place-files.js";
import { paths } from "../../setup/paths.js";
import { compiled } from "../lab-bench.js";
import { expectedDomains, partsOf, withDamagedMaterial } from "./efi-bench.js";
import { bootMedia, type MediaBoot } from "./media-host.js";

/** For the four starts of a launch that fails three times. */
const timeLimitSeconds = 500;

let folder: string;
let earlier: CompiledLaunch;
let changed: LaunchParts;
let xen: Uint8Array;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "domb-fallback-"));
  const hello = { kernel: "build/guests/hello.elf", memory: "64 MiB", output: "xen-log" } as const;
  earlier = await compiled({ domb: 1, domains: { earlier: hello } });
  changed = await partsOf(await compiled({ domb: 1, domains: { changed: hello } }));
  xen = await readFile(paths.xen());
  await placeFiles(join(folder, "earlier"), grubFiles(xen, await partsOf(earlier)));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** Makes a disk of that name with a new launch, and the earlier one to fall back to. */
async function makeDisk(
  name: string,
  parts: LaunchParts,
  change: (medium: string) => Promise<unknown> = async () => {},
): Promise<string> {
  const [medium, disk] = [join(folder, `${name}-medium`), join(folder, name)];
  await placeFiles(medium, grubFiles(xen, parts, await earlierLaunch(join(folder, "earlier"))));
  await change(medium);
  await execa("grub-mkrescue", ["-o", disk, medium, "--directory=/usr/lib/grub/i386-pc"]);
  return disk;
}

/** Changes how many tries are left, as a person does. */
const setTries = (tries: string) => (medium: string) =>
  execa("grub-editenv", [join(medium, "boot/grub/grubenv"), "set", `domb_tries=${tries}`]);

/** Boots the disk until a launch succeeds: which one, and what failed before. */
async function boot(
  disk: string,
  writable = true,
): Promise<Pick<MediaBoot, "status" | "failures"> & { readonly started: string | undefined }> {
  const { status, failures, lines } = await bootMedia({
    machine: { kind: "bios", disk, writable },
    // Both launches have one domain, which says the same.
    domains: expectedDomains(earlier),
    timeLimitSeconds,
    untilSuccess: true,
  });
  return { status, failures, started: /(\w+) d1 started/.exec(lines.join("\n"))?.[1] };
}

const triesOn = async (disk: string): Promise<string | undefined> =>
  /^domb_tries=(.*)$/m.exec((await readFile(disk)).toString("latin1"))?.[1];

const failed = expect.stringContaining("launch status materialDigest");
const earlierAtOnce = { status: "success", failures: [], started: "earlier" };
const changedAtOnce = { ...earlierAtOnce, started: "changed" };

describe("GRUB with an earlier launch to fall back to", () => {
  it("starts that after a launch that failed three times, and again from then on", async () => {
    const disk = await makeDisk("failing", withDamagedMaterial(changed));
    const failures = Array(launchTries).fill(failed);
    expect(await boot(disk)).toEqual({ ...earlierAtOnce, failures });
    expect(await triesOn(disk)).toBe("0");
    expect(await boot(disk)).toEqual(earlierAtOnce);
  });

  it("counts the starts of a launch that succeeds, too", async () => {
    const disk = await makeDisk("counted", changed, setTries("1"));
    expect(await boot(disk)).toEqual(changedAtOnce);
    expect(await boot(disk)).toEqual(earlierAtOnce);
  });

  it("counts no longer when somebody has called the launch good", async () => {
    const disk = await makeDisk("good", changed, setTries("unlimited"));
    expect(await boot(disk)).toEqual(changedAtOnce);
    expect(await triesOn(disk)).toBe("unlimited");
  });

  it("starts the earlier one at once where it can't write down a try", async () => {
    expect(await boot(await makeDisk("read-only", changed), false)).toEqual(earlierAtOnce);
  });

  it("starts the earlier one at once where there is no Xen of the new one", async () => {
    const disk = await makeDisk("without-xen", changed, (medium) => rm(join(medium, "boot/xen")));
    expect(await boot(disk)).toEqual(earlierAtOnce);
  });
});
