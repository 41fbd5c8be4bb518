// SPDX-License-Identifier: Apache-2.0
// Launches that fail on real Xen: each ends in a defined status, and nothing that was not checked
// has run.

import { afterEach, beforeAll, describe, expect, it } from "vitest";
import type { CompiledLaunch } from "../compiler/compile.js";
import type { DomainInput } from "../compiler/description/define-launch.js";
import { HEADERS_END, ImageHeader } from "../contract/image.js";
import { PAGE_SIZE } from "../contract/limits.js";
import { LaunchStatus } from "../contract/receipt.js";
import { XEN_ENOMEM } from "../contract/xen-abi.js";
import { guestImage, guestKernel } from "../guests/build.js";
import type { Architecture } from "../setup/paths.js";
import { type Booted, booted, compiled, everyArchitecture } from "./lab-bench.js";

const helloOf = (architecture: Architecture): DomainInput => ({
  kernel: guestKernel("hello", architecture),
  ...{ memory: "64 MiB", output: "xen-log" },
});

function pairOf(hello: DomainInput): Promise<CompiledLaunch> {
  return compiled({ domb: 1, domains: { first: hello, second: hello } });
}

function expectNothingRan({ outcome, outputs, xenLog }: Booted): void {
  expect(outcome.status).toBe("failed");
  expect(outcome.bootDomain.exited).toBe(true);
  expect(outputs).toEqual({ first: "", second: "" });
  expect(xenLog).not.toContain("hello: ");
}

describe.each(everyArchitecture)("a damaged image on %s", (_, architecture) => {
  let launch: CompiledLaunch;
  beforeAll(async () => {
    launch = await pairOf(helloOf(architecture));
  });

  function flipped(offset: number): Uint8Array {
    const image = launch.image.slice();
    image[offset] = (image[offset] ?? 0) ^ 1;
    return image;
  }

  const cases: [string, () => Uint8Array, LaunchStatus][] = [
    ["with another magic", () => flipped(0), LaunchStatus.imageMagic],
    ["for another Xen", () => flipped(ImageHeader.xenInterface), LaunchStatus.imageTarget],
    ["with a bit flipped in its plan", () => flipped(HEADERS_END + 5), LaunchStatus.planDigest],
    [
      "with a bit flipped in its last material",
      () => flipped(launch.image.length - PAGE_SIZE),
      LaunchStatus.materialDigest,
    ],
    [
      "cut short",
      () => launch.image.slice(0, launch.image.length - 1),
      LaunchStatus.imageTruncated,
    ],
  ];

  it.each(cases)(
    "[RFC-EXIT] %s ends with its status, and starts nothing",
    async (_, make, status) => {
      const names = ["first", "second"];
      const until = names.map((domain) => ({ domain, text: "domb: domain is up" }));
      const result = await booted(make(), launch.xenCommandLine, { until });
      expect(result.outcome.bootDomain.status).toBe(status);
      expect(result.outcome.status).toBe("failed");
      expect(result.xenLog).not.toContain("hello: ");
    },
  );
});

describe.each(everyArchitecture)("a host with too little memory on %s", (_, architecture) => {
  it("fails the launch with Xen's errno, and every domain is destroyed", async () => {
    const hello = helloOf(architecture);
    const large = await compiled({
      domb: 1,
      domains: { first: hello, second: { ...hello, memory: "2 GiB" } },
    });
    const result = await booted(large.image, large.xenCommandLine);
    expectNothingRan(result);
    expect(result.outcome.bootDomain.status).toBe(LaunchStatus.hypercall);
    expect(result.outcome.reason).toContain(`error ${XEN_ENOMEM}`);
    expect(result.outcome.receiptLines.join("\n")).toMatch(
      /first d1 destroyed.*\n.*second d2 destroyed/,
    );
  });
});

describe.each(everyArchitecture)("another boot domain on %s", (_, architecture) => {
  const own = process.env.DOMB_BOOT_DOMAIN;
  afterEach(() => {
    if (own === undefined) delete process.env.DOMB_BOOT_DOMAIN;
    else process.env.DOMB_BOOT_DOMAIN = own;
  });

  it("[RFC-EXIT] that ends without a status is a failed launch, and Xen destroys it", async () => {
    process.env.DOMB_BOOT_DOMAIN =
      architecture === "x86_64" ? guestKernel("hello", architecture) : guestImage("hello");
    const launch = await pairOf(helloOf(architecture));
    const { outcome } = await booted(launch.image, launch.xenCommandLine);
    expect(outcome.status).toBe("failed");
    expect(outcome.bootDomain).toMatchObject({ exited: true, status: null });
    expect(outcome.reason).toContain("without a launch status");
  });

  it.runIf(architecture === "x86_64")("[RFC-HARDWARE] finds that no I/O port answers", async () => {
    process.env.DOMB_BOOT_DOMAIN = guestKernel("ports");
    const launch = await pairOf(helloOf("x86_64"));
    const { xenLog } = await booted(launch.image, launch.xenCommandLine);
    expect(xenLog).toContain("ports: none answers");
  });
});

describe.each(everyArchitecture)("Xen on %s", (_, architecture) => {
  let launch: CompiledLaunch;
  beforeAll(async () => {
    launch = await pairOf(helloOf(architecture));
  });

  it("refuses a boot domain when pages are not scrubbed", async () => {
    const options = `${launch.xenCommandLine} bootscrub=0`;
    const { outcome } = await booted(launch.image, options);
    expect(outcome.status).toBe("died");
    expect(outcome.reason).toContain("scrub");
  });

  it("refuses a boot domain of a size that it can't read", async () => {
    const { outcome } = await booted(launch.image, "boot-domain=much");
    expect(outcome.status).toBe("died");
    expect(outcome.reason).toContain("boot-domain");
  });
});
