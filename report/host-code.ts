// SPDX-License-Identifier: Apache-2.0
// How large the code is that runs beside the domains: as far as this checkout has it built.

import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { XenVersion } from "../compiler/image/xen-versions.js";
import { type Architecture, paths } from "../setup/paths.js";
import { parseSeries } from "../setup/xen-build.js";
import type { HostCode } from "./model/trusted-base.js";

/** Lines that a patch adds or takes away. */
export interface PatchSize {
  readonly name: string;
  readonly lines: number;
}

/** The patches of the series in a folder, in its order. */
export async function readPatches(folder: string): Promise<readonly PatchSize[]> {
  const names = parseSeries(await readFile(join(folder, "series"), "utf8"));
  return Promise.all(
    names.map(async (name) => {
      const text = await readFile(join(folder, name), "utf8");
      const changed = text.split("\n").filter((line) => /^[+-](?![+-]{2}( |$))/.test(line));
      return { name, lines: changed.length };
    }),
  );
}

/** The code on a host with this Xen; null for what is not built here. */
export async function readHostCode(xen: XenVersion, architecture: Architecture): Promise<HostCode> {
  const bytesOf = (path: string) =>
    stat(path).then(
      ({ size }) => size,
      () => null,
    );
  const patches = await readPatches(xen === "4.17" ? paths.patches : paths.upstreamPatches);
  return {
    xenBytes: await bytesOf(paths.xen(xen, architecture)),
    bootDomainBytes: await bytesOf(paths.bootDomain(xen, architecture)),
    patches: {
      count: patches.length,
      lines: patches.reduce((sum, { lines }) => sum + lines, 0),
    },
  };
}
