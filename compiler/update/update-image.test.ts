// SPDX-License-Identifier: Apache-2.0
// An update changes what it is to change, and nothing else: the same image as if it had been built
// so from the start.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { RECOVERY_HEADER } from "../../contract/image.js";
import { compiled } from "../../lab/lab-bench.js";
import { paths } from "../../setup/paths.js";
import { signedImage, testKey } from "../../simulator/suite/test-keys.js";
import type { LaunchInput } from "../description/define-launch.js";
import { type DecodedImage, decodeImage } from "../image/decode-image.js";
import { type DomainChange, updateImage } from "./update-image.js";

const kernels = { hello: "build/guests/hello.elf", probe: "build/guests/probe.elf" };
const linux = "build/materials/vmlinuz";
const ramdisk = "build/materials/busybox.cpio.gz";

/** Four domains, of which `changes` are given to the one that is called web. */
function launch(changes: object, recovery: object = {}): LaunchInput {
  return {
    domb: 1,
    domains: {
      storage: { kernel: kernels.hello, memory: "4 MiB", cmdline: "storage", roles: ["control"] },
      web: { kernel: kernels.hello, memory: "4 MiB", output: "xen-log", ...changes },
      big: { kernel: linux, ramdisk, memory: "128 MiB", cmdline: "quiet", onDeath: "reboot" },
      rescue: { kernel: kernels.hello, memory: "2 MiB", roles: ["recovery"], ...recovery },
    },
  };
}

function decoded(image: Uint8Array): DecodedImage {
  const result = decodeImage(image);
  if (!result.ok) throw new Error("the image does not decode");
  return result.value;
}

async function file(path: string) {
  return { path, bytes: new Uint8Array(await readFile(join(paths.checkout, path))), place: {} };
}

let image: Uint8Array;

beforeAll(async () => {
  ({ image } = await compiled(launch({})));
});

async function updated(from: Uint8Array, change: DomainChange, launchVersion = 1) {
  const place = { file: "launch.img" };
  const result = await updateImage(from, decoded(from), change, { place, launchVersion });
  if (!result.ok) throw new Error(result.diagnostics.map(({ message }) => message).join());
  return result.value;
}

describe("an update", () => {
  it("of a kernel gives the image that is built with that kernel", async () => {
    const next = await updated(image, { domain: "web", kernel: await file(kernels.probe) });
    const { image: built } = await compiled(launch({ kernel: kernels.probe }));
    expect(Buffer.compare(next.image, built)).toBe(0);
    expect(next.changed).toEqual(["main"]);
  });

  it("of a ramdisk and a command line gives the image that is built with them", async () => {
    const change = { domain: "big", ramdisk: await file(kernels.hello), cmdline: "verbose" };
    const next = await updated(image, change);
    const built = launch({});
    const big = { ...built.domains.big, ramdisk: kernels.hello, cmdline: "verbose" };
    const { image: other } = await compiled({
      ...built,
      domains: { ...built.domains, big } as LaunchInput["domains"],
    });
    expect(Buffer.compare(next.image, other)).toBe(0);
  });

  it("back to what there was gives the image that there was", async () => {
    const there = await updated(image, { domain: "web", cmdline: "other" });
    const back = await updated(there.image, { domain: "web", cmdline: "" });
    expect(Buffer.compare(back.image, image)).toBe(0);
  });

  it("of a main plan's domain leaves the recovery plan and its signature bit for bit", async () => {
    const signed = await signedImage(image, testKey(1));
    const next = await updated(signed, { domain: "web", cmdline: "other" }, 2);
    const { planOffset } = decoded(signed).header;
    expect(decoded(next.image).header.planOffset).toBe(planOffset);
    const part = (of: Uint8Array) => of.subarray(RECOVERY_HEADER, planOffset);
    expect(Buffer.compare(part(next.image), part(signed))).toBe(0);
    expect(decoded(next.image).signature).toBeUndefined();
    expect(decoded(next.image).header.launchVersion).toBe(2);
  });

  it("of the recovery domain makes both plans anew, and no material of others", async () => {
    const next = await updated(image, { domain: "rescue", cmdline: "other" });
    expect(next.changed).toEqual(["main", "recovery"]);
    const { image: built } = await compiled(launch({}, { cmdline: "other" }));
    expect(Buffer.compare(next.image, built)).toBe(0);
  });

  it("leaves the domain's links as they are, and what it is told of them", async () => {
    const linked = (change: object): LaunchInput => ({
      ...launch(change),
      links: [
        { kind: "event-channel", name: "bell", between: ["storage", "web"] },
        {
          ...{ kind: "shared-memory", name: "ring", size: "64 KiB" },
          ...{ writers: ["web"], readers: ["storage"] },
        },
      ],
    });
    const { image: there } = await compiled(linked({ ready: { when: "signalled" } }));
    const change = { domain: "web", cmdline: "other", kernel: await file(kernels.probe) };
    const next = await updated(there, change);
    const { image: built } = await compiled(
      linked({ kernel: kernels.probe, cmdline: "other", ready: { when: "signalled" } }),
    );
    expect(Buffer.compare(next.image, built)).toBe(0);
  });

  it("counts the launch version up by itself", async () => {
    const change = { domain: "web", cmdline: "other" };
    const result = await updateImage(image, decoded(image), change, { place: {} });
    expect(result.ok && result.value.launchVersion).toBe(2);
  });

  it("is told of a domain that there is not, of memory too small, and of a strange image", async () => {
    const told = async (of: Uint8Array, change: DomainChange) => {
      const { diagnostics } = await updateImage(of, decoded(of), change, { place: {} });
      return diagnostics.map(({ code }) => code);
    };
    expect(await told(image, { domain: "none", cmdline: "" })).toEqual(["DOMB5202"]);
    const large = { path: "large", bytes: new Uint8Array(0x500000), place: {} };
    expect(await told(image, { domain: "web", ramdisk: large })).toEqual(["DOMB4001"]);
    const strange = image.slice();
    strange[RECOVERY_HEADER - 1] = 1;
    expect(await told(strange, { domain: "web", cmdline: "x" })).toEqual(["DOMB5201"]);
  });
});
