// SPDX-License-Identifier: Apache-2.0
// A boot ends by itself, whatever happens, and leaves no QEMU behind.

import { execa } from "execa";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import type { CompiledLaunch } from "../compiler/compile.js";
import { ImageHeader, MACHINE_ARM64 } from "../contract/image.js";
import { paths } from "../setup/paths.js";
import { booted, compiled } from "./lab-bench.js";

let launch: CompiledLaunch;

beforeAll(async () => {
  launch = await compiled({
    domb: 1,
    domains: {
      hello: { kernel: "build/guests/hello.elf", memory: "64 MiB", output: "xen-log" },
    },
  });
});

/** Processes of ours whose command line has these words. */
async function running(words: string): Promise<number[]> {
  const { stdout } = await execa("pgrep", ["-f", "--", words], { reject: false });
  return stdout.split("\n").filter(Boolean).map(Number);
}

describe("a boot", () => {
  it("ends when its caller stops it, and QEMU with it", async () => {
    const stop = new AbortController();
    const { outcome } = await booted(launch.image, `${launch.xenCommandLine} domb-test=stopped`, {
      signal: stop.signal,
      onEvent: () => stop.abort(),
    });
    expect(outcome.status).toBe("interrupted");
    expect(await running("domb-test=stopped")).toEqual([]);
  });

  it("ends when QEMU dies, and says so", async () => {
    const { outcome } = await booted(launch.image, `${launch.xenCommandLine} domb-test=killed`, {
      onEvent: async () => {
        for (const pid of await running("^qemu-system-x86_64 .*domb-test=killed"))
          process.kill(pid);
      },
    });
    expect(outcome.status).toBe("died");
    expect(outcome.reason).toContain("QEMU");
  });

  it("ends at its time limit, and says what it waited for", async () => {
    const { outcome } = await booted(launch.image, launch.xenCommandLine, {
      until: [{ domain: "hello", text: "never said" }],
      timeLimitSeconds: 3,
    });
    expect(outcome.status).toBe("timeout");
    expect(outcome.reason).toBe("after 3 s still waiting for hello");
  });
});

/** The image as if it were for arm64. */
function imageForArm64(): Uint8Array {
  const image = launch.image.slice();
  new DataView(image.buffer).setUint32(ImageHeader.machine, MACHINE_ARM64, true);
  return image;
}

describe("a machine that can't boot a launch", () => {
  const own = { ...process.env };
  afterEach(() => {
    process.env = { ...own };
  });

  it("is told what it lacks", async () => {
    process.env.PATH = "/nonexistent";
    await expect(booted(launch.image, launch.xenCommandLine)).rejects.toThrow(
      "qemu-system-x86_64 is lacking: apt-get install qemu-system-x86",
    );
    await expect(booted(imageForArm64(), launch.xenCommandLine)).rejects.toThrow(
      "qemu-system-aarch64 is lacking: apt-get install qemu-system-arm",
    );
  });

  it("is told how much memory an arm64 host must have to load the launch", async () => {
    process.env.DOMB_XEN = paths.xen();
    const small = { hostMemoryBytes: 128 * 0x100000 };
    await expect(booted(imageForArm64(), launch.xenCommandLine, small)).rejects.toThrow(
      'memory of the host for the launch image, 147 MiB in all, is lacking: domb boot --host-memory "147 MiB"',
    );
  });
});
