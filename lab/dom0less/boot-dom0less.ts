// SPDX-License-Identifier: Apache-2.0
// Boots Linux domains that an unpatched Xen on arm64 itself makes of its device tree (dom0less): the
// yardstick of launches. Ends with the last domain's marker, and gives the lines of Xen's log.

import { copyFile, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DeviceTree, DeviceTreeNode } from "../../compiler/device-tree/device-tree.js";
import { cells, texts } from "../../compiler/device-tree/values.js";
import { moduleNode, withChosen } from "../../media/xen-tree.js";
import { paths } from "../../setup/paths.js";
import { defaultMarker } from "../boot.js";
import { logOptions } from "../host.js";
import {
  arm64Program,
  arm64WordsWith,
  type LoadedFile,
  placeFiles,
  readBoard,
} from "../host-arm64.js";
import { hostFiles, runQemu } from "../qemu.js";

/** A domain of Debian's Linux, of one virtual CPU. */
export interface LinuxDomain {
  readonly commandLine: string;
  readonly memoryBytes: number;
  /** Whether its device tree tells of Xen: grant tables, event channels; no xenstore. */
  readonly knowsXen: boolean;
}

const timeLimitMs = 600_000;

/** As Xen prints a line of a domain's own. */
const markerLine = new RegExp(`\\] DOM\\d+: .*${defaultMarker}`);

/** docs/misc/arm/device-tree/booting.txt, "Creating Multiple Domains directly from Xen". */
function domainNode(
  name: string,
  domain: LinuxDomain,
  [kernel, ramdisk]: readonly [LoadedFile, LoadedFile],
): DeviceTreeNode {
  const { commandLine, memoryBytes, knowsXen } = domain;
  return {
    name,
    properties: new Map([
      ["compatible", texts("xen,domain")],
      ["#address-cells", cells(2)],
      ["#size-cells", cells(2)],
      // In KiB, of two cells.
      ["memory", cells(0, memoryBytes / 1024)],
      ["cpus", cells(1)],
      ["vpl011", new Uint8Array()],
      ...(knowsXen ? ([["xen,enhanced", texts("no-xenstore")]] as const) : []),
    ]),
    children: [
      moduleNode({ ...kernel, kind: "kernel", commandLine }),
      moduleNode({ ...ramdisk, kind: "ramdisk" }),
    ],
  };
}

/** The board's device tree with these domains in it, whose kernel and ramdisk lie where `files` say. */
export async function dom0lessTree(
  domains: readonly LinuxDomain[],
  files: readonly [LoadedFile, LoadedFile],
): Promise<DeviceTree> {
  const nodes = domains.map((domain, index) => domainNode(`domU${index + 1}`, domain, files));
  return withChosen(await readBoard(), logOptions("arm64").join(" "), nodes);
}

/** Copies the materials of all domains to where QEMU loads them from. */
async function loadedMaterials(directory: string): Promise<[LoadedFile, LoadedFile]> {
  const copied = async (file: string, path: string) => {
    await copyFile(path, join(directory, file));
    return { file, bytes: (await stat(path)).size };
  };
  const kernel = await copied("kernel", paths.arm64GuestKernel);
  const ramdisk = await copied("ramdisk", paths.arm64GuestRamdisk);
  return placeFiles([kernel, ramdisk]) as [LoadedFile, LoadedFile];
}

/** Boots the domains in virtual time; throws unless all come up. */
export async function bootDom0less(
  domains: readonly LinuxDomain[],
  hostMemoryBytes: number,
): Promise<readonly string[]> {
  const directory = await mkdtemp(join(tmpdir(), "domb-dom0less-"));
  const done = new AbortController();
  const limit = AbortSignal.timeout(timeLimitMs);
  const lines: string[] = [];
  try {
    await copyFile(join(paths.arm64UnpatchedXen, "xen"), join(directory, hostFiles.xen));
    const files = await loadedMaterials(directory);
    const tree = await dom0lessTree(domains, files);
    const signal = AbortSignal.any([done.signal, limit]);
    const host = {
      directory,
      memoryBytes: hostMemoryBytes,
      moreOptions: [],
      icount: true,
      signal,
    };
    let up = 0;
    await runQemu(arm64Program, await arm64WordsWith(tree, files, host), host, (line) => {
      lines.push(line);
      if (markerLine.test(line)) up++;
      if (up === domains.length) done.abort();
    });
    if (up === domains.length) return lines;
    const last = lines.slice(-20).join("\n");
    throw new Error(`${up} of ${domains.length} domains came up; the last lines:\n${last}`);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
