// SPDX-License-Identifier: Apache-2.0
// A compiled launch for people: its domains, what it takes of the host, how Xen is to be started.

import { createHash } from "node:crypto";
import Table from "cli-table3";
import type { CompiledLaunch } from "../compiler/compile.js";
import { formatSize } from "../compiler/description/size.js";
import { PAGE_SIZE } from "../contract/limits.js";
import { XEN_DOMCTL_CDF_xen_log } from "../contract/xen-abi.js";

const mebibytes = (bytes: number): string => `${Math.ceil(bytes / 0x100000)} MiB`;

/** A table without lines around it. */
export function plainTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const table = new Table({
    head: [...head],
    style: { head: [], border: [], compact: true, "padding-left": 0, "padding-right": 2 },
    chars: Object.fromEntries(
      ["top", "bottom", "left", "right", "mid"].flatMap((side) =>
        [side, `${side}-mid`, `${side}-left`, `${side}-right`].map((part) => [part, ""]),
      ),
    ),
  });
  table.options.chars.middle = "";
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}

/** SHA-256 of bytes, hexadecimal. */
export function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** The launch as a plain object, for `--json`. */
export function launchDocument({ image, plan, demand, xenCommandLine }: CompiledLaunch): object {
  return {
    imageBytes: image.length,
    imageDigest: digestOf(image),
    domains: plan.domains.map(({ name, domid, memoryPages, vcpus, createFlags }) => ({
      name,
      domid,
      memoryBytes: memoryPages * PAGE_SIZE,
      vcpus,
      output: (createFlags & XEN_DOMCTL_CDF_xen_log) === 0 ? "none" : "xen-log",
    })),
    operations: plan.operations.length,
    demand,
    xenCommandLine,
  };
}

/** The launch as text. */
export function launchText(launch: CompiledLaunch): string {
  const { plan, demand, xenCommandLine } = launch;
  const domains = plan.domains.map(({ name, domid, memoryPages, createFlags }) => [
    name,
    String(domid),
    formatSize(memoryPages * PAGE_SIZE),
    (createFlags & XEN_DOMCTL_CDF_xen_log) === 0 ? "none" : "xen-log",
  ]);
  const domainPages = demand.domains.reduce((sum, { pages }) => sum + pages, 0);
  return [
    plainTable(["domain", "domid", "memory", "output"], domains),
    "",
    `image         ${launch.image.length} bytes, ${plan.operations.length} operations, ${plan.materials.length} materials`,
    `host memory   ${mebibytes(demand.totalBytes)} at least: Xen ${mebibytes(demand.xenPages * PAGE_SIZE)}, boot domain ${mebibytes(demand.bootDomainPages * PAGE_SIZE)} until its exit, domains ${mebibytes(domainPages * PAGE_SIZE)}`,
    `Xen's command line must have: ${xenCommandLine}`,
    "",
  ].join("\n");
}
