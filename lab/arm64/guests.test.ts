// SPDX-License-Identifier: Apache-2.0
// What domains on arm64 are given, as the tiny kernels of guests/ find it on real Xen, and a boot
// domain that is none.

import { stat } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { guestImage, guestKernel } from "../../guests/build.js";
import { withBootDomain } from "../altered-boot-domain.js";
import { type Booted, booted, compiled } from "../lab-bench.js";
import { answersOf } from "../privileges-guest.js";

const small = { memory: "8 MiB", output: "xen-log" } as const;
const ramdisk = "examples/hello/launch.yaml";

describe("an Initial Domain on arm64", () => {
  let launch: Booted;

  beforeAll(async () => {
    const { image, xenCommandLine } = await compiled({
      domb: 1,
      domains: {
        image: { ...small, kernel: guestImage("hello"), cmdline: "as an Image" },
        probe: { ...small, kernel: guestKernel("probe", "arm64"), ramdisk, cmdline: "a b=c" },
        devices: { ...small, kernel: guestKernel("devices", "arm64") },
        control: { ...small, kernel: guestKernel("privileges", "arm64"), roles: ["control"] },
      },
    });
    launch = await booted(image, xenCommandLine);
  });

  it("[RFC-CREATE] is started from an Image and from an ELF file, with its command line", () => {
    expect(launch.outcome.status).toBe("success");
    expect(launch.outputs.image).toContain("hello: as an Image");
    expect(launch.outputs.probe).toContain("probe: command line a b=c");
  });

  it("has its ramdisk, all of its memory, and zeroes where it relies on them", async () => {
    const { size } = await stat(ramdisk);
    expect(launch.outputs.probe).toContain(`probe: module size ${size.toString(16)} `);
    expect(launch.outputs.probe).toContain("probe: memory 40000000 size 800000 type 1");
    expect(launch.outputs.probe).toContain("probe: ok");
  });

  it("[RFC-HARDWARE] finds its virtual interrupt controller and its UART, and nothing else", () => {
    expect(launch.outputs.devices?.match(/devices: \w+ to \w+ answer/g)).toEqual([
      "devices: 3001000 to 3011000 answer",
      "devices: 3020000 to 3040000 answer",
      "devices: 22000000 to 22001000 answer",
    ]);
    expect(launch.outputs.devices).toContain("devices: this is the UART");
  });

  it("with the control role may control the others, and ask Xen", () => {
    const answers = answersOf(launch.outputs.control);
    const wanted = {
      "sysctl 0": 0,
      "getdomaininfo 1": 0,
      "pausedomain 2": 0,
      "alloc_unbound 3": 0,
    };
    expect(Object.fromEntries(answers)).toMatchObject(wanted);
  });
});

describe("another boot domain on arm64", () => {
  it("[RFC-EXIT] that ends without a status is a failed launch, and Xen destroys it", async () => {
    const { image, xenCommandLine } = await compiled({
      domb: 1,
      domains: { only: { ...small, kernel: guestKernel("hello", "arm64") } },
    });
    const run = () => booted(image, xenCommandLine);
    const { outcome, xenLog } = await withBootDomain(guestImage("hello"), run);
    expect(xenLog).toContain("hello: ");
    expect(outcome.status).toBe("failed");
    expect(outcome.bootDomain).toMatchObject({ exited: true, status: null });
    expect(outcome.reason).toContain("without a launch status");
  });
});
