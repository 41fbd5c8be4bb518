// SPDX-License-Identifier: Apache-2.0
// A boot ends by itself, whatever happens, and leaves no QEMU behind.

import { execa } from "execa";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import type { CompiledLaunch } from "../compiler/compile.js";
import { guestKernel } from "../guests/build.js";
import type { Architecture } from "../setup/paths.js";
import { booted, compiled, everyArchitecture } from "./lab-bench.js";

function helloLaunch(architecture: Architecture): Promise<CompiledLaunch> {
  const kernel = guestKernel("hello", architecture);
  return compiled({ domb: 1, domains: { hello: { kernel, memory: "64 MiB", output: "xen-log" } } });
}

/** Processes of ours whose command line has these words. */
async function running(words: string): Promise<number[]> {
  const { stdout } = await execa("pgrep", ["-f", "--", words], { reject: false });
  return stdout.split("\n").filter(Boolean).map(Number);
}

describe.each(everyArchitecture)("a boot on %s", (_, architecture) => {
  let launch: CompiledLaunch;
  beforeAll(async () => {
    launch = await helloLaunch(architecture);
  });

  it("ends when its caller stops it, and QEMU with it", async () => {
    const stop = new AbortController();
    const name = `domb-test-stopped-${architecture}`;
    const { outcome } = await booted(launch.image, launch.xenCommandLine, {
      qemuOptions: ["-name", name],
      signal: stop.signal,
      onEvent: () => stop.abort(),
    });
    expect(outcome.status).toBe("interrupted");
    expect(await running(name)).toEqual([]);
  });

  it("ends when QEMU dies, and says so", async () => {
    const name = `domb-test-killed-${architecture}`;
    const { outcome } = await booted(launch.image, launch.xenCommandLine, {
      qemuOptions: ["-name", name],
      onEvent: async () => {
        for (const pid of await running(`^qemu-system-.* ${name} `)) process.kill(pid);
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

describe("a machine that can't boot a launch", () => {
  const own = { ...process.env };
  afterEach(() => {
    process.env = { ...own };
  });

  it("is told what it lacks", async () => {
    process.env.PATH = "/nonexistent";
    const fixes = {
      x86_64: "qemu-system-x86_64 is lacking: apt-get install qemu-system-x86",
      arm64: "qemu-system-aarch64 is lacking: apt-get install qemu-system-arm",
    };
    for (const [, architecture] of everyArchitecture) {
      const { image, xenCommandLine } = await helloLaunch(architecture);
      await expect(booted(image, xenCommandLine)).rejects.toThrow(fixes[architecture]);
    }
  });

  it("is told how much memory an arm64 host must have to load the launch", async () => {
    const { image, xenCommandLine } = await helloLaunch("arm64");
    const small = { hostMemoryBytes: 128 * 0x100000 };
    await expect(booted(image, xenCommandLine, small)).rejects.toThrow(
      'memory of the host for the launch image, 147 MiB in all, is lacking: domb boot --host-memory "147 MiB"',
    );
  });
});
