// SPDX-License-Identifier: Apache-2.0
// Builds the patched hypervisor: Debian's source, domb's series, domb's configuration. The result
// is found by the digest of all that goes into it, and does not depend on where, when or by whom
// it is built. Kept are the bootable `xen`, `include/public`, `xen.config` and the sources of
// FLASK's reference policy.

import { existsSync } from "node:fs";
import { copyFile, cp, mkdir, readFile, rename, rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { cached, contentKey, placeLink } from "./cache.js";
import { outputOf, withLog } from "./child.js";
import { EXIT, fail, succeed } from "./outcome.js";
import { paths } from "./paths.js";
import { prepareXenSource, XEN_DESCRIPTION, XEN_DIGESTS, XEN_VERSION } from "./xen-source.js";

/** What Xen's build would otherwise ask the machine for, so that equal inputs give equal bytes. */
const BUILD_IDENTITY = {
  XEN_BUILD_DATE: "Thu Jan  1 00:00:00 UTC 1970",
  XEN_BUILD_TIME: "00:00:00",
  XEN_BUILD_HOST: "host",
  XEN_DOMAIN: "domain",
  XEN_WHOAMI: "domb",
  SOURCE_DATE_EPOCH: "0",
  LC_ALL: "C",
  TZ: "UTC",
};

/** Where Xen's tree has its FLASK reference policy. */
const POLICY_SOURCES = [join("tools", "flask", "policy"), join("xen", "xsm", "flask", "policy")];

/** Changes when the steps of the build below do. */
const RECIPE = "2";

/**
 * Names of the patches in order, from a quilt series file.
 *
 * @param {string} text
 */
export function parseSeries(text) {
  const lines = text.split("\n").map((line) => line.replace(/(^|\s)#.*/, "").trim());
  return lines.filter((line) => line !== "");
}

/** @typedef {{ patches: readonly string[], key: string }} XenInputs */

/**
 * What Xen is built from, with the key of the result.
 *
 * @returns {Promise<import("./outcome.js").Outcome<XenInputs>>}
 */
async function readInputs() {
  const series = join(paths.patches, "series");
  const missing = [series, paths.xenConfiguration].find((path) => !existsSync(path));
  if (missing !== undefined) {
    return fail({
      exitCode: EXIT.environment,
      what: `${missing} is missing`,
      fix: "restore hypervisor/ from the repository",
    });
  }
  const patches = parseSeries(await readFile(series, "utf8"));
  const absent = patches.find((name) => !existsSync(join(paths.patches, name)));
  if (absent !== undefined) {
    const what = `${series} names ${absent}, which is not beside it`;
    return fail({ exitCode: EXIT.environment, what, fix: "add the patch, or take its name away" });
  }
  const contents = await Promise.all(patches.map((name) => readFile(join(paths.patches, name))));
  const key = contentKey([
    RECIPE,
    JSON.stringify([XEN_DIGESTS, BUILD_IDENTITY, patches]),
    await readFile(paths.xenConfiguration),
    outputOf("gcc", ["--version"]) ?? "",
    outputOf("ld", ["--version"]) ?? "",
    ...contents,
  ]);
  return succeed({ patches, key });
}

/**
 * Where the build of the present inputs is or would be in the cache.
 *
 * @param {string} cache
 * @returns {Promise<string | undefined>}
 */
export async function wantedXenFolder(cache) {
  const inputs = await readInputs();
  return inputs.ok ? join(cache, "xen", inputs.value.key) : undefined;
}

/**
 * @param {import("./child.js").Run} run
 * @param {{ from: string, work: string, patches: readonly string[] }} places
 */
async function unpackAndPatch(run, { from, work, patches }) {
  const source = join(work, "source");
  const description = join(from, XEN_DESCRIPTION);
  // The digests are checked already, and Debian's keys may not be there.
  const options = ["--no-check", "--extract", description, source];
  const unpacked = await run("dpkg-source", options);
  if (!unpacked.ok) return unpacked;
  for (const name of patches) {
    const file = join(paths.patches, name);
    const options = ["--strip=1", "--batch", "--forward", "--fuzz=0", `--input=${file}`];
    const patched = await run("patch", options, { cwd: source });
    if (!patched.ok) {
      const what = `the patch ${file} does not apply to Xen ${XEN_VERSION}`;
      return fail({ ...patched.failure, what, fix: "correct the patch or its place in `series`" });
    }
  }
  return succeed(source);
}

/**
 * @param {import("./child.js").Run} run
 * @param {string} source
 */
async function compile(run, source) {
  const xen = join(source, "xen");
  await copyFile(paths.xenConfiguration, join(xen, ".config"));
  const options = ["-n", "10", "make", "-C", xen, `-j${availableParallelism()}`];
  // Debug information names the folder, and the build identity is a digest over it.
  const flags = `EXTRA_CFLAGS_XEN_CORE=-ffile-prefix-map=${source}=.`;
  // Variables of the calling make or npm must not reach this one.
  const env = { ...BUILD_IDENTITY, MAKEFLAGS: undefined, MAKELEVEL: undefined, CFLAGS: undefined };
  const configured = await run("nice", [...options, "olddefconfig"], { env });
  return configured.ok ? run("nice", [...options, flags], { env }) : configured;
}

/**
 * @param {import("./child.js").SetUp} setUp
 * @returns {Promise<import("./outcome.js").Outcome<unknown>>}
 */
export async function prepareXen(setUp) {
  const inputs = await readInputs();
  if (!inputs.ok) return inputs;
  const { patches, key } = inputs.value;
  const xen = await cached(setUp, join("xen", key), async (folder) => {
    const origin = await prepareXenSource(setUp);
    if (!origin.ok) return origin;
    const patched = patches.length === 1 ? "1 patch" : `${patches.length} patches`;
    const title = `building Xen ${XEN_VERSION} with ${patched}, some minutes`;
    return withLog(setUp, { title, log: "xen-build" }, async (run) => {
      const work = join(folder, "work");
      await mkdir(work);
      const source = await unpackAndPatch(run, { from: origin.value, work, patches });
      if (!source.ok) return source;
      const compiled = await compile(run, source.value);
      if (!compiled.ok) return compiled;
      const tree = join(source.value, "xen");
      await rename(join(tree, "xen"), join(folder, "xen"));
      await rename(join(tree, ".config"), join(folder, "xen.config"));
      await mkdir(join(folder, "include"));
      await cp(join(tree, "include", "public"), join(folder, "include", "public"), {
        recursive: true,
      });
      for (const part of POLICY_SOURCES) {
        const to = join(folder, "policy-source", part);
        await cp(join(source.value, part), to, { recursive: true });
      }
      await rm(work, { recursive: true });
      return succeed(undefined);
    });
  });
  if (xen.ok) await placeLink(xen.value, paths.xenFolder);
  return xen;
}
