// SPDX-License-Identifier: Apache-2.0
// Boots a classic PV dom0 on a Xen in QEMU, until it reboots the host, and tells what the serial
// port printed: Xen's log and dom0's own lines.

import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { logOptions, runHost } from "../host.js";
import { hostFiles } from "../qemu.js";

export interface Dom0Request {
  /** Path of the hypervisor. */
  readonly xen: string;
  /** Path of dom0's kernel. */
  readonly kernel: string;
  readonly commandLine: string;
  readonly ramdisk?: Uint8Array;
}

/** Xen sees these names: another would be another time. */
const files = { kernel: "dom0", ramdisk: "ramdisk" } as const;

const xenCommandLine = [...logOptions("x86_64"), "dom0_mem=256M", "dom0_max_vcpus=1"];

const hostMemoryBytes = 1024 * 0x100000;
const timeLimitMs = 300_000;

/** Boots dom0 in virtual time; throws unless the host reboots in time. */
export async function bootDom0(request: Dom0Request): Promise<readonly string[]> {
  const directory = await mkdtemp(join(tmpdir(), "domb-dom0-"));
  const limit = AbortSignal.timeout(timeLimitMs);
  const lines: string[] = [];
  try {
    await copyFile(request.xen, join(directory, hostFiles.xen));
    await copyFile(request.kernel, join(directory, files.kernel));
    if (request.ramdisk) await writeFile(join(directory, files.ramdisk), request.ramdisk);
    const { exitCode, stderr } = await runHost(
      "x86_64",
      {
        directory,
        xenCommandLine: xenCommandLine.join(" "),
        memoryBytes: hostMemoryBytes,
        moreOptions: [],
        icount: true,
        modules: [
          { file: files.kernel, kind: "kernel", commandLine: request.commandLine },
          ...(request.ramdisk ? [{ file: files.ramdisk, kind: "ramdisk" } as const] : []),
        ],
        signal: limit,
      },
      (line) => lines.push(line),
    );
    if (limit.aborted || exitCode !== 0) {
      const why = limit.aborted ? "did not reboot the host in time" : `ended QEMU: ${stderr}`;
      throw new Error(`${request.kernel} ${why}; the last lines:\n${lines.slice(-20).join("\n")}`);
    }
    return lines;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The line without what differs from one build of Xen to another, and from run to run. */
export function maskLine(line: string): string {
  return (
    line
      .replace(/^(\(XEN\) )\[[0-9a-f]{16}\]/, "$1[TIME]")
      .replace(/^\[ *\d+\.\d+\]/, "[TIME]")
      .replace(/\b[0-9a-f]{40}\b/g, "BUILD-ID")
      .replace(/\bffff82d0[0-9a-f]{8}\b/g, "ADDRESS")
      // Whole pages of Xen's own init sections.
      .replace(/ Freed \d+kB init memory/, " Freed init memory")
      .replace(/(sched_clock: Marking stable) .*/, "$1")
  );
}
