// SPDX-License-Identifier: Apache-2.0
// The Xen that is built without dom0: it starts a boot domain or nothing. There is none for arm64,
// whose Xen has no configuration without dom0.

import { join } from "node:path";
import { execa } from "execa";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { CompiledLaunch } from "../compiler/compile.js";
import { paths } from "../setup/paths.js";
import { booted, compiledExample } from "./lab-bench.js";

/** Names of all functions in a build of Xen. */
async function functionsOf(folder: string): Promise<Set<string>> {
  const { stdout } = await execa("nm", [join(folder, "xen-syms")]);
  return new Set([...stdout.matchAll(/ [tT] (\S+)$/gm)].map(([, name = ""]) => name));
}

describe("Xen without dom0 on x86-64", () => {
  let launch: CompiledLaunch;

  beforeAll(async () => {
    launch = await compiledExample("static-partitions");
  });

  beforeEach(() => {
    vi.stubEnv("DOMB_XEN", join(paths.bootDomainOnlyXenFolder, "xen"));
    return () => vi.unstubAllEnvs();
  });

  it("launches two domains as the ordinary one does", async () => {
    const { outcome, outputs } = await booted(launch.image, launch.xenCommandLine);
    expect(outcome.status).toBe("success");
    expect(outputs.controller).toContain("ticker: 0");
    expect(outputs.logger).toContain("hello: logger");
  });

  it("stops when it is not told to start a boot domain", async () => {
    const { outcome, xenLog } = await booted(launch.image, "com1=115200,8n1");
    expect(outcome.status).toBe("died");
    expect(xenLog).toContain("boot-domain: want =<size>");
    expect(xenLog).not.toContain("Building");
  });

  it("[RFC-PARSING] takes no compressed kernel as boot domain", async () => {
    vi.stubEnv("DOMB_BOOT_DOMAIN", paths.guestKernel);
    const { outcome, xenLog } = await booted(launch.image, launch.xenCommandLine);
    expect(outcome.status).toBe("died");
    expect(xenLog).toContain("Unable to init ELF");
    expect(xenLog).toContain("Could not construct boot domain");
  });

  it.each(["dom0_construct_pv", "dom0_setup_permissions", "unzstd", "perform_gunzip", "vpci_read"])(
    "[RFC-MINIMAL] has no %s, which the ordinary one has",
    async (name) => {
      expect(await functionsOf(paths.xenFolder)).toContain(name);
      expect(await functionsOf(paths.bootDomainOnlyXenFolder)).not.toContain(name);
    },
  );
});
