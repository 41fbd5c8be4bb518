// SPDX-License-Identifier: Apache-2.0
// What becomes of the host when a launch fails or takes too long, and when a domain ends that the
// host is for.

import { beforeAll, describe, expect, it } from "vitest";
import type { CompiledLaunch } from "../compiler/compile.js";
import { guestKernel } from "../guests/build.js";
import { type Architecture, paths } from "../setup/paths.js";
import { type Booted, booted, compiled, everyArchitecture, linux } from "./lab-bench.js";

const helloOf = (architecture: Architecture) =>
  ({ kernel: guestKernel("hello", architecture), memory: "32 MiB", output: "xen-log" }) as const;

/** Boots until Xen's log has these words. */
async function bootedUntil(words: string, image: Uint8Array, options: string): Promise<Booted> {
  const said = new AbortController();
  return booted(image, options, {
    signal: said.signal,
    onLine: (line) => {
      if (line.includes(words)) said.abort();
    },
    // Not with the launch, after which these words come.
    beforeEnd: () => new Promise(() => undefined),
  });
}

describe.each(everyArchitecture)("a launch that fails on %s", (_, architecture) => {
  const hello = helloOf(architecture);
  let launch: CompiledLaunch;
  let broken: Uint8Array;

  beforeAll(async () => {
    launch = await compiled({ domb: 1, domains: { hello } });
    broken = launch.image.slice();
    broken[broken.length - 4096] = (broken.at(-4096) ?? 0) ^ 1;
  });

  it("reboots the host", async () => {
    const { xenLog } = await bootedUntil("rebooting", broken, launch.xenCommandLine);
    expect(xenLog).toMatch(/The launch failed: rebooting machine in 5 seconds/);
  });

  it("halts it, if the command line says so", async () => {
    const options = launch.xenCommandLine.replace(/boot-domain=\w+/, "$&,failure=halt");
    const { xenLog } = await bootedUntil("halting", broken, options);
    expect(xenLog).toContain("The launch failed: halting");
  });

  it("leaves it as it is, if the command line says so", async () => {
    const options = launch.xenCommandLine.replace(/boot-domain=\w+/, "$&,failure=stay");
    const { outcome, xenLog } = await booted(broken, options);
    expect(outcome.status).toBe("failed");
    expect(xenLog).not.toContain("The launch failed");
  });

  it("is one that takes longer than the command line allows", async () => {
    const kernel = linux(architecture, "").kernel;
    const slow = await compiled({
      domb: 1,
      // The ramdisk is any large file.
      domains: { linux: { kernel, ramdisk: paths.guestKernel, memory: "256 MiB" } },
    });
    const options = slow.xenCommandLine.replace(/boot-domain=\w+/, "$&,timeout=1");
    const { outcome, xenLog } = await booted(slow.image, options);
    expect(xenLog).toContain("Watchdog timer fired for domain 32751");
    expect(outcome.status).toBe("failed");
    expect(outcome.bootDomain).toMatchObject({ exited: true, status: null });
    expect(xenLog).toContain("without a launch status (shutdown reason 4)");
  });

  it.each(["timeout", "timeout=", "timeout=soon", "failure=pray", "4M"])(
    "can't be asked for with %s, and dom0 does not start instead",
    async (option) => {
      const options = launch.xenCommandLine.replace(/boot-domain=\w+/, `$&,${option}`);
      const { outcome } = await booted(launch.image, options);
      expect(outcome.status).toBe("died");
      expect(outcome.reason).toContain("boot-domain: want");
    },
  );
});

describe.each(everyArchitecture)("a domain that ends on %s", (_, architecture) => {
  const hello = helloOf(architecture);
  it("takes the host with it, if the description says so", async () => {
    const domains = { hello: { ...hello, onDeath: "reboot" as const } };
    const { image, xenCommandLine } = await compiled({ domb: 1, domains });
    const { xenLog } = await bootedUntil("rebooting", image, xenCommandLine);
    expect(xenLog).toMatch(/d1 ended \(shutdown reason 0\), and with it the host: rebooting/);
  });

  it("stays as it is otherwise, and the host with it", async () => {
    const { image, xenCommandLine } = await compiled({ domb: 1, domains: { hello } });
    const { outcome, xenLog } = await booted(image, xenCommandLine);
    expect(outcome.status).toBe("success");
    expect(xenLog).not.toContain("rebooting");
  });
});
