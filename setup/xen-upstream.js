// SPDX-License-Identifier: Apache-2.0
// Builds upstream's Xen with the series of hypervisor/patches/4.23, as xen-build.js builds Debian's.
// Upstream's tree of that day is no package: DOMB_XEN_UPSTREAM names an archive of it, relative to
// the checkout. Without the variable there is nothing to build.

import { existsSync } from "node:fs";
import { mkdir, readFile, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { cached, contentKey, placeLink } from "./cache.js";
import { withLog } from "./child.js";
import { EXIT, fail, succeed } from "./outcome.js";
import { paths } from "./paths.js";
import { applyPatches, arm64, compile, readInputs, usual } from "./xen-build.js";
import { keepBuild } from "./xen-keep.js";

const VERSION = "4.23";

/**
 * Path of the archive, or undefined if none is named.
 *
 * @param {NodeJS.ProcessEnv} environment
 */
export function upstreamArchive({ DOMB_XEN_UPSTREAM: archive }) {
  return archive ? resolve(paths.checkout, archive) : undefined;
}

/** What is built of it, and where the links go. */
const variants = [
  { variant: usual, link: paths.upstreamXenFolder, log: `xen-${VERSION}-build` },
  { variant: arm64, link: paths.upstreamArm64XenFolder, log: `xen-${VERSION}-build-arm64` },
];

/**
 * @param {import("./child.js").SetUp} setUp
 * @returns {Promise<import("./outcome.js").Outcome<unknown>>}
 */
export async function prepareUpstreamXen(setUp) {
  const archive = upstreamArchive(setUp.environment);
  if (archive === undefined) return succeed(undefined);
  if (!existsSync(archive)) {
    const what = `${archive}, which DOMB_XEN_UPSTREAM names, is missing`;
    const fix = "name an archive of upstream's Xen 4.23, or unset the variable";
    return fail({ exitCode: EXIT.environment, what, fix });
  }
  const digest = contentKey([await readFile(archive)]);
  for (const { variant, link, log } of variants) {
    const built = await prepareVariant(setUp, { archive, digest, variant, log });
    if (!built.ok) return built;
    await placeLink(built.value, link);
  }
  return succeed(undefined);
}

/**
 * @param {import("./child.js").SetUp} setUp
 * @param {{ archive: string, digest: string, variant: import("./xen-build.js").XenVariant, log: string }} what
 */
async function prepareVariant(setUp, { archive, digest, variant, log }) {
  const inputs = await readInputs(variant, paths.upstreamPatches, digest);
  if (!inputs.ok) return inputs;
  const { patches, configuration, key } = inputs.value;
  return cached(setUp, join(`xen-${VERSION}`, key), (folder) => {
    const where = variant.architecture === "arm64" ? " for arm64" : "";
    const title = `building upstream's Xen ${VERSION}${where} with ${patches.length} patches, some minutes`;
    return withLog(setUp, { title, log }, async (run) => {
      const source = join(folder, "source");
      await mkdir(source);
      const unpacked = await run("tar", ["--extract", `--file=${archive}`], { cwd: source });
      if (!unpacked.ok) return unpacked;
      if (!existsSync(join(source, "xen", "Makefile"))) {
        const what = `${archive} has no xen/Makefile at its top`;
        return fail({ exitCode: EXIT.environment, what, fix: "name an archive of Xen's tree" });
      }
      const series = { source, folder: paths.upstreamPatches, patches, version: VERSION };
      const patched = await applyPatches(run, series);
      if (!patched.ok) return patched;
      const compiled = await compile(run, source, configuration, variant.architecture);
      if (!compiled.ok) return compiled;
      await keepBuild(source, folder, variant.keep);
      await rm(source, { recursive: true });
      return succeed(undefined);
    });
  });
}
