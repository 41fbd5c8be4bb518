// SPDX-License-Identifier: Apache-2.0
// Debian's tools for Xen 4.17 with the libraries that they need, fetched and unpacked, never
// installed: their installation would change how the machine boots. Which 4.17 it is does not
// matter: Xen's interface for tools changes with 4.18. Stay until removed from the cache.

import { existsSync } from "node:fs";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openApt } from "./apt.js";
import { cached } from "./cache.js";
import { outputOf, withLog } from "./child.js";
import { EXIT, fail, succeed } from "./outcome.js";

/** Programs, headers, and every library that one of them is linked with. */
const PACKAGES = [
  "xen-utils-4.17",
  "libxen-dev",
  "libxenmisc4.17",
  "libxencall1",
  "libxendevicemodel1",
  "libxenevtchn1",
  "libxenforeignmemory1",
  "libxengnttab1",
  "libxenhypfs1",
  "libxenstore4",
  "libxentoolcore1",
  "libxentoollog1",
  "libc6",
  "liblzma5",
  "libuuid1",
  "libyajl2",
  "libzstd1",
  "zlib1g",
];

const LIBRARIES = [join("usr", "lib", "x86_64-linux-gnu"), join("lib", "x86_64-linux-gnu")];

/**
 * The shared libraries that programs need, and those that these need, by name.
 *
 * @param {string} tools folder of the unpacked tools
 * @param {readonly string[]} programs
 * @returns {import("./outcome.js").Outcome<ReadonlyMap<string, string>>} paths
 */
export function sharedLibraries(tools, programs) {
  /** @type {Map<string, string>} */
  const found = new Map();
  const toRead = [...programs];
  for (let file = toRead.pop(); file !== undefined; file = toRead.pop()) {
    const dynamic = outputOf("readelf", ["--dynamic", "--wide", file]) ?? "";
    for (const [, name = ""] of dynamic.matchAll(/\(NEEDED\).*\[(.*)\]/g)) {
      if (found.has(name)) continue;
      const path = LIBRARIES.map((folder) => join(tools, folder, name)).find((one) =>
        existsSync(one),
      );
      if (path === undefined) {
        const what = `${file} needs ${name}, which is in none of the fetched packages`;
        return fail({ exitCode: EXIT.environment, what, fix: "add its package to xen-tools.js" });
      }
      found.set(name, path);
      toRead.push(path);
    }
  }
  return succeed(found);
}

/**
 * Folder in the cache with the unpacked tools, as if it were the root of a file system.
 *
 * @param {import("./child.js").SetUp} setUp
 */
export function prepareXenTools(setUp) {
  return cached(setUp, "xen-tools", (folder) => {
    const step = { title: "fetching Debian's Xen tools", log: "xen-tools" };
    return withLog(setUp, step, async (run) => {
      const apt = await openApt(setUp, run);
      if (!apt.ok) return apt;
      const { configuration, attempt } = apt.value;
      const download = join(folder, "packages");
      await mkdir(download);
      const fetch = ["-c", configuration, "download", ...PACKAGES];
      const fetched = await attempt("apt-get", fetch, { cwd: download });
      if (!fetched.ok) return fetched;
      const archives = (await readdir(download)).sort();
      for (const archive of archives) {
        const unpacked = await run("dpkg-deb", ["--extract", join(download, archive), folder]);
        if (!unpacked.ok) return unpacked;
      }
      await writeFile(join(folder, "packages.txt"), archives.map((name) => `${name}\n`).join(""));
      await rm(download, { recursive: true });
      await rm(join(folder, "usr", "share"), { recursive: true });
      return succeed(undefined);
    });
  });
}
