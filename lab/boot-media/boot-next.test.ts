// SPDX-License-Identifier: Apache-2.0
// A launch that EFI firmware starts once, by `BootNext`, and that does not succeed: the firmware then
// starts the one that is first in its order.

import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CompiledLaunch } from "../../compiler/compile.js";
import { guestKernel } from "../../guests/build.js";
import type { LaunchParts } from "../../media/launch-parts.js";
import { efiPaths } from "../../media/unified-xen.js";
import { paths } from "../../setup/paths.js";
import { compiled, everyArchitecture } from "../lab-bench.js";
import {
  expectedDomains,
  partsOf,
  SecureBootBench,
  withChangedByte,
  withDamagedMaterial,
} from "./efi-bench.js";
import { bootEntryVariables } from "./firmware-variables.js";
import type { MediaBoot } from "./media-host.js";

const newPath = "EFI/domb/new.efi";

describe.each(everyArchitecture)("EFI firmware with BootNext on %s", (_, architecture) => {
  let bench: SecureBootBench;
  let earlier: CompiledLaunch;
  let changed: LaunchParts;
  let program: Uint8Array;
  let signed: (parts: LaunchParts) => Promise<Uint8Array>;

  beforeAll(async () => {
    bench = await SecureBootBench.open(architecture);
    const kernel = guestKernel("hello", architecture);
    const hello = { kernel, memory: "64 MiB", output: "xen-log" } as const;
    earlier = await compiled({ domb: 1, domains: { earlier: hello } });
    changed = await partsOf(await compiled({ domb: 1, domains: { changed: hello } }));
    const board = architecture === "arm64" ? { boardTree: await readFile(paths.arm64Board) } : {};
    signed = (parts) => bench.signed(parts, board);
    program = await signed(await partsOf(earlier));
  });
  afterAll(async () => {
    await bench.close();
  });

  /** Boots with a new program for the next start, and the earlier one first in the order. */
  async function bootWithNext(bytes: Uint8Array): Promise<MediaBoot> {
    const boot = await bench.boot(program, expectedDomains(earlier), {
      files: [{ path: newPath, bytes }],
      bootEntry: [
        ...bootEntryVariables(efiPaths[architecture], ""),
        ...bootEntryVariables(newPath, "", "BootNext"),
      ],
      untilSuccess: true,
      // For two starts.
      timeLimitSeconds: 500,
    });
    expect(boot.lines.join("\n")).toContain("earlier d1 started");
    return boot;
  }

  it("starts the earlier launch after one that failed", async () => {
    const { status, failures } = await bootWithNext(await signed(withDamagedMaterial(changed)));
    const failure = expect.stringContaining("launch status materialDigest");
    expect({ status, failures }).toEqual({ status: "success", failures: [failure] });
  });

  it("starts the earlier launch where it refuses the new one", async () => {
    const refused = withChangedByte(await signed(changed), ".ramdisk");
    const { status, failures } = await bootWithNext(refused);
    const failure = expect.stringMatching(/Access Denied|Security Violation/);
    expect({ status, failures }).toEqual({ status: "success", failures: [failure] });
  });
});
