// SPDX-License-Identifier: Apache-2.0
// arm64 hosts with either version of the interrupt controller, and kernels in each of their formats.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CompiledLaunch } from "../compiler/compile.js";
import type { GicVersion } from "../compiler/guest/platform.js";
import { LaunchStatus } from "../contract/receipt.js";
import { XEN_ENODEV } from "../contract/xen-abi.js";
import { guestImage, guestKernel } from "../guests/build.js";
import { boardFile } from "./host-arm64.js";
import { booted, compiled } from "./lab-bench.js";

const guest = { memory: "32 MiB", output: "xen-log" } as const;
const names = ["cpus", "devices"] as const;

/** Two domains: one starts its vCPUs, one looks for devices and writes to its UART. */
function launchFor(gic: GicVersion): Promise<CompiledLaunch> {
  return compiled({
    domb: 1,
    host: { board: boardFile(gic) },
    domains: {
      cpus: { ...guest, kernel: guestKernel("cpus", "arm64"), vcpus: 8 },
      devices: { ...guest, kernel: guestKernel("devices", "arm64") },
    },
  });
}

/** What answers a guest below its RAM: its interrupt controller, and its UART. */
const answering: Readonly<Record<GicVersion, readonly string[]>> = {
  2: ["3001000 to 3004000", "22000000 to 22001000"],
  3: ["3001000 to 3011000", "3020000 to 3040000", "22000000 to 22001000"],
};

describe.each([2, 3] as const)("a board with a GICv%i, on arm64", (gic) => {
  it("runs a launch that is compiled for it, with as many vCPUs as any GIC serves", async () => {
    const { image, xenCommandLine } = await launchFor(gic);
    const { outcome, outputs } = await booted(image, xenCommandLine, { gic });
    expect(outcome).toMatchObject({ status: "success" });
    expect(outputs.cpus).toContain("cpus: started 7\n");
    expect(outputs.devices).toContain("devices: this is the UART\n");
    const found = [...(outputs.devices ?? "").matchAll(/^devices: (\w+ to \w+) answer$/gm)];
    expect(found.map(([, range]) => range)).toEqual(answering[gic]);
  });

  it("refuses a launch for the other one, and nothing has started", async () => {
    const { image, xenCommandLine } = await launchFor(gic === 2 ? 3 : 2);
    const until = names.map((domain) => ({ domain, text: "domb: domain is up" }));
    const { outcome, outputs } = await booted(image, xenCommandLine, { gic, until });
    expect(outcome).toMatchObject({
      status: "failed",
      bootDomain: { exited: true, status: LaunchStatus.hypercall },
    });
    expect(outcome.reason).toContain(`error ${XEN_ENODEV}`);
    expect(outputs).toEqual({ cpus: "", devices: "" });
  });
});

describe("a kernel for arm64", () => {
  let directory = "";
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "domb-kernels-"));
  });
  afterAll(() => rm(directory, { recursive: true }));

  it("starts as an ELF file, as an Image and as a packed Image, on arm64", async () => {
    const packed = join(directory, "Image.gz");
    await writeFile(packed, gzipSync(await readFile(guestImage("probe"))));
    const { image, xenCommandLine } = await compiled({
      domb: 1,
      domains: {
        elf: { ...guest, kernel: guestKernel("probe", "arm64") },
        image: { ...guest, kernel: guestImage("probe") },
        packed: { ...guest, kernel: packed },
      },
    });
    const { outcome, outputs } = await booted(image, xenCommandLine);
    expect(outcome).toMatchObject({ status: "success" });
    for (const output of Object.values(outputs)) expect(output).toContain("probe: ok\n");
  });
});
