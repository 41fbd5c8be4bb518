// SPDX-License-Identifier: Apache-2.0
// Debian's source package of Xen, one version of it, pinned by digest: what domb's patches are
// made for.

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { openApt } from "./apt.js";
import { cached } from "./cache.js";
import { outputOf, withLog } from "./child.js";
import { EXIT, fail, succeed } from "./outcome.js";

export const XEN_VERSION = "4.17.5+72-g01140da4e8-1";
export const XEN_DESCRIPTION = `xen_${XEN_VERSION}.dsc`;

/** SHA-256 of each file of the source package. */
export const XEN_DIGESTS = {
  [XEN_DESCRIPTION]: "f13956b67fb7a65707c2b0620d89b41ee5d203434dd7bb913017356791ee66c1",
  [`xen_${XEN_VERSION.replace(/-1$/, "")}.orig.tar.xz`]:
    "53922f4d0a02c577f2ea9d63f65989cd88715779eebeed879ca1d314103ee06e",
  [`xen_${XEN_VERSION}.debian.tar.xz`]:
    "5bcf3812c64585e270e0b3fa6ee8fd16dff7b9bc0f61375d648c64672484c4d9",
};

/**
 * What is wrong with the package's files in `folder`, or undefined.
 *
 * @param {string} folder
 * @param {Readonly<Record<string, string>>} digests
 */
export async function findWrongFile(folder, digests = XEN_DIGESTS) {
  for (const [name, wanted] of Object.entries(digests)) {
    const path = join(folder, name);
    if (!existsSync(path)) return `${name} is missing`;
    const found = createHash("sha256")
      .update(await readFile(path))
      .digest("hex");
    if (found !== wanted) return `${name} has the SHA-256 digest ${found}, wanted ${wanted}`;
  }
  return undefined;
}

/**
 * Folder in the cache with the package's files, verified.
 *
 * @param {import("./child.js").SetUp} setUp
 */
export function prepareXenSource(setUp) {
  return cached(setUp, join("xen-source", XEN_VERSION), (folder) => {
    const step = { title: `fetching Debian's source of Xen ${XEN_VERSION}`, log: "xen-source" };
    return withLog(setUp, step, async (run) => {
      const apt = await openApt(setUp, run);
      if (!apt.ok) return apt;
      const { configuration, attempt } = apt.value;
      const fetch = ["-c", configuration, "source", "--download-only", `xen=${XEN_VERSION}`];
      const fetched = await attempt("apt-get", fetch, { cwd: folder });
      if (!fetched.ok) {
        const offered = outputOf("apt-cache", ["-c", configuration, "showsrc", "xen"]) ?? "";
        const versions = [...offered.matchAll(/^Version: (.*)$/gm)].map(([, version]) => version);
        if (versions.length === 0 || versions.includes(XEN_VERSION)) return fetched;
        const what = `Debian offers Xen ${versions.join(", ")}, but the patches are for ${XEN_VERSION}`;
        return fail({ ...fetched.failure, what });
      }
      const wrong = await findWrongFile(folder);
      if (wrong === undefined) return succeed(undefined);
      const fix = "check this machine's apt sources: what they give is not Debian's";
      return fail({ exitCode: EXIT.environment, what: `fetched source of Xen: ${wrong}`, fix });
    });
  });
}
