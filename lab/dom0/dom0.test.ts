// SPDX-License-Identifier: Apache-2.0
// Without `boot-domain` on its command line, patched Xen boots a classic dom0 as unpatched Xen does:
// the logs are the same line by line, and so is what dom0 sees of Xen.

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { guestKernel } from "../../guests/build.js";
import { ramdiskEntries } from "../../setup/guest-ramdisk.js";
import { newcArchive } from "../../setup/newc.js";
import { findProgram } from "../../setup/packages.js";
import { paths } from "../../setup/paths.js";
import { bootDom0, type Dom0Request, maskLine } from "./boot-dom0.js";

const xens = { unpatched: join(paths.unpatchedXen, "xen"), patched: paths.xen() };

beforeAll(() => {
  if (existsSync(xens.unpatched)) return;
  throw new Error(`${xens.unpatched} is lacking: npm test builds it`);
});

interface Logs {
  readonly unpatched: readonly string[];
  readonly patched: readonly string[];
}

async function bootedOnBoth(request: Omit<Dom0Request, "xen">): Promise<Logs> {
  const unpatched = await bootDom0({ ...request, xen: xens.unpatched });
  const patched = await bootDom0({ ...request, xen: xens.patched });
  return { unpatched: unpatched.map(maskLine), patched: patched.map(maskLine) };
}

describe("Debian's Linux as dom0", () => {
  let logs: Logs;

  beforeAll(async () => {
    const busybox = await readFile(findProgram("busybox") ?? "busybox");
    const init = await readFile(join(paths.checkout, "lab", "dom0", "init.sh"));
    logs = await bootedOnBoth({
      kernel: paths.guestKernel,
      commandLine: "earlyprintk=xen,keep printk.devkmsg=on",
      ramdisk: newcArchive(ramdiskEntries(busybox, init)),
    });
  });

  it("comes up on both, and sees Xen", () => {
    for (const log of [logs.unpatched, logs.patched]) {
      expect(log).toContain("[TIME] dom0: /sys/hypervisor/type: xen");
      expect(log).toContain("[TIME] dom0: is up");
    }
  });

  it("has the same lines in Xen's log and in its own", () => {
    expect(logs.patched).toEqual(logs.unpatched);
  });
});

describe("a tiny dom0 that makes every hypercall", () => {
  let logs: Logs;

  beforeAll(async () => {
    logs = await bootedOnBoth({ kernel: guestKernel("dom0"), commandLine: "one two" });
  });

  it("gets the same answers", () => {
    const answers = logs.unpatched.filter((line) => line.startsWith("dom0: hypercall "));
    expect(answers).toHaveLength(63);
    expect(logs.patched).toEqual(logs.unpatched);
  });

  it("finds no trace of boot_domain_op", () => {
    const answers = logs.patched.filter((line) => line.startsWith("dom0: boot_domain_op "));
    expect(answers).toEqual(
      Array.from({ length: 8 }, (_, command) => `dom0: boot_domain_op ${command}: -38`),
    );
  });
});
