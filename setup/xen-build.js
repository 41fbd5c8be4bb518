// SPDX-License-Identifier: Apache-2.0
// Builds the hypervisor from Debian's source, domb's series and domb's configuration, and for the
// tests also without the series, and with the series but without CONFIG_BOOT_DOMAIN. The result is
// found by the digest of all that goes into it, and does not depend on where, when or by whom it is
// built. What is kept of a build, xen-keep.js says.

import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { buildEnvironment, SAME_EVERYWHERE } from "./build-environment.js";
import { cached, contentKey, placeLink } from "./cache.js";
import { outputOf, withLog } from "./child.js";
import { EXIT, fail, succeed } from "./outcome.js";
import { paths } from "./paths.js";
import {
  EFI_XEN,
  keepArm64Interface,
  keepBuild,
  keepInterface,
  keepObjects,
  keepObjectsAndSymbols,
} from "./xen-keep.js";
import { prepareXenSource, XEN_DESCRIPTION, XEN_DIGESTS, XEN_VERSION } from "./xen-source.js";

/** What Xen's build would otherwise ask the machine for, so that equal inputs give equal bytes. */
export const BUILD_IDENTITY = {
  XEN_BUILD_DATE: "Thu Jan  1 00:00:00 UTC 1970",
  XEN_BUILD_TIME: "00:00:00",
  XEN_BUILD_HOST: "host",
  XEN_DOMAIN: "domain",
  XEN_WHOAMI: "domb",
  ...SAME_EVERYWHERE,
};

/** @typedef {import("./paths.js").Architecture} Architecture */

/**
 * Prefix of the names of the tools for each architecture, and what make is told of it.
 *
 * @type {Readonly<Record<Architecture, { prefix: string, make: readonly string[] }>>}
 */
const toolchains = {
  x86_64: { prefix: "", make: [] },
  arm64: {
    prefix: "aarch64-linux-gnu-",
    make: ["XEN_TARGET_ARCH=arm64", "CROSS_COMPILE=aarch64-linux-gnu-"],
  },
};

/** Changes when the steps of the build below do. */
const RECIPE = "3";

/**
 * One way to build Xen. `keep` moves what is kept beside `xen` from the source's folder to another;
 * `name` tells variants of equal inputs apart.
 *
 * @typedef {object} XenVariant
 * @property {string} name
 * @property {string} link
 * @property {Architecture} [architecture] default: x86_64
 * @property {boolean} patched
 * @property {boolean} bootDomain whether CONFIG_BOOT_DOMAIN is set
 * @property {boolean} dom0 whether CONFIG_DOM0 is set
 * @property {(source: string, folder: string) => Promise<void>} keep
 */

/** @type {XenVariant} */
export const usual = {
  name: "",
  link: paths.xenFolder,
  patched: true,
  bootDomain: true,
  dom0: true,
  keep: keepInterface,
};

/** @type {XenVariant} */
const bootDomainOnly = {
  name: "boot-domain-only",
  link: paths.bootDomainOnlyXenFolder,
  patched: true,
  bootDomain: true,
  dom0: false,
  keep: keepInterface,
};

/** @type {XenVariant} */
export const arm64 = {
  name: "arm64",
  link: paths.arm64XenFolder,
  architecture: "arm64",
  patched: true,
  bootDomain: true,
  dom0: true,
  keep: keepArm64Interface,
};

/** What tests and figures of arm64 hold the patched Xen against. @type {XenVariant} */
const unpatchedArm64 = {
  name: "unpatched-arm64-objects",
  link: paths.arm64UnpatchedXen,
  architecture: "arm64",
  patched: false,
  bootDomain: false,
  dom0: true,
  keep: keepObjectsAndSymbols,
};

/** @type {readonly XenVariant[]} */
const compared = [
  {
    name: "unpatched",
    link: paths.unpatchedXen,
    patched: false,
    bootDomain: false,
    dom0: true,
    keep: keepObjects,
  },
  {
    name: "switched-off",
    link: paths.switchedOffXen,
    patched: true,
    bootDomain: false,
    dom0: true,
    keep: keepObjects,
  },
  unpatchedArm64,
  {
    name: "switched-off-arm64",
    link: paths.arm64SwitchedOffXen,
    architecture: "arm64",
    patched: true,
    bootDomain: false,
    dom0: true,
    keep: keepObjects,
  },
];

/**
 * Names of the patches in order, from a quilt series file.
 *
 * @param {string} text
 */
export function parseSeries(text) {
  const lines = text.split("\n").map((line) => line.replace(/(^|\s)#.*/, "").trim());
  return lines.filter((line) => line !== "");
}

/** @typedef {{ patches: readonly string[], configuration: string, key: string }} XenInputs */

/**
 * What Xen is built from, with the key of the result.
 *
 * @param {XenVariant} variant
 * @param {string} folder of the series
 * @param {unknown} source what tells this source of Xen from others
 * @returns {Promise<import("./outcome.js").Outcome<XenInputs>>}
 */
export async function readInputs(
  { name, architecture = "x86_64", patched, bootDomain, dom0 },
  folder = paths.patches,
  source = XEN_DIGESTS,
) {
  const series = join(folder, "series");
  const base = paths.xenConfiguration(architecture);
  const files = [series, base, paths.bootDomainOnlyConfiguration];
  const missing = files.find((path) => !existsSync(path));
  if (missing !== undefined) {
    return fail({
      exitCode: EXIT.environment,
      what: `${missing} is missing`,
      fix: "restore hypervisor/ from the repository",
    });
  }
  const patches = patched ? parseSeries(await readFile(series, "utf8")) : [];
  const absent = patches.find((patch) => !existsSync(join(folder, patch)));
  if (absent !== undefined) {
    const what = `${series} names ${absent}, which is not beside it`;
    return fail({ exitCode: EXIT.environment, what, fix: "add the patch, or take its name away" });
  }
  const contents = await Promise.all(patches.map((patch) => readFile(join(folder, patch))));
  const wanted = await readFile(base, "utf8");
  const chosen = bootDomain
    ? wanted
    : wanted.replace(/^(CONFIG_BOOT_DOMAIN)=y$/m, "# $1 is not set");
  const added = dom0 ? "" : await readFile(paths.bootDomainOnlyConfiguration, "utf8");
  const configuration = `${chosen}${added}`;
  const { prefix } = toolchains[architecture];
  const key = contentKey([
    RECIPE,
    JSON.stringify([source, BUILD_IDENTITY, patches]),
    configuration,
    outputOf(`${prefix}gcc`, ["--version"]) ?? "",
    outputOf(`${prefix}ld`, ["--version"]) ?? "",
    ...contents,
    ...(name === "" ? [] : [name]),
  ]);
  return succeed({ patches, configuration, key });
}

/**
 * Where the build of the present inputs is or would be in the cache.
 *
 * @param {string} cache
 * @returns {Promise<string | undefined>}
 */
export async function wantedXenFolder(cache, variant = usual) {
  const inputs = await readInputs(variant);
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
  return applyPatches(run, { source, folder: paths.patches, patches, version: XEN_VERSION });
}

/**
 * @param {import("./child.js").Run} run
 * @param {{ source: string, folder: string, patches: readonly string[], version: string }} places
 */
export async function applyPatches(run, { source, folder, patches, version }) {
  for (const name of patches) {
    const file = join(folder, name);
    const options = ["--strip=1", "--batch", "--forward", "--fuzz=0", `--input=${file}`];
    const patched = await run("patch", options, { cwd: source });
    if (!patched.ok) {
      const what = `the patch ${file} does not apply to Xen ${version}`;
      return fail({ ...patched.failure, what, fix: "correct the patch or its place in `series`" });
    }
  }
  return succeed(source);
}

/**
 * @param {import("./child.js").Run} run
 * @param {string} source
 * @param {string} configuration
 * @param {Architecture} architecture
 */
export async function compile(run, source, configuration, architecture = "x86_64") {
  const xen = join(source, "xen");
  await writeFile(join(xen, ".config"), configuration);
  const { make } = toolchains[architecture];
  const options = ["-n", "10", "make", "-C", xen, `-j${availableParallelism()}`, ...make];
  // Debug information names the folder, and the build identity is a digest over it.
  const flags = `EXTRA_CFLAGS_XEN_CORE=-ffile-prefix-map=${source}=.`;
  const env = { ...buildEnvironment(), ...BUILD_IDENTITY };
  const configured = await run("nice", [...options, "olddefconfig"], { env });
  if (!configured.ok) return configured;
  const built = await run("nice", [...options, flags], { env });
  if (!built.ok || architecture !== "x86_64") return built;
  // Most of this file is debug information, which firmware would load with the rest.
  const strip = ["--preserve-dates", "--strip-all", join(xen, EFI_XEN)];
  if (existsSync(join(xen, EFI_XEN))) return run("objcopy", strip);
  const what = `this machine's linker makes no ${EFI_XEN}: it knows no PE files`;
  return fail({ exitCode: EXIT.environment, what, fix: "use Debian's binutils" });
}

/**
 * @param {import("./child.js").SetUp} setUp
 * @param {XenVariant} variant
 * @returns {Promise<import("./outcome.js").Outcome<unknown>>}
 */
async function prepareVariant(setUp, variant) {
  const inputs = await readInputs(variant);
  if (!inputs.ok) return inputs;
  const { patches, configuration, key } = inputs.value;
  const xen = await cached(setUp, join("xen", key), async (folder) => {
    const origin = await prepareXenSource(setUp);
    if (!origin.ok) return origin;
    const how = [
      patches.length === 1 ? "1 patch" : `${patches.length || "no"} patches`,
      ...(patches.length > 0 && !variant.bootDomain ? ["CONFIG_BOOT_DOMAIN=n"] : []),
      ...(variant.dom0 ? [] : ["CONFIG_DOM0=n"]),
    ].join(" and ");
    const target = variant.architecture ? ` for ${variant.architecture}` : "";
    const title = `building Xen ${XEN_VERSION}${target} with ${how}, some minutes`;
    const log = ["xen-build", variant.name].filter((part) => part !== "").join("-");
    return withLog(setUp, { title, log }, async (run) => {
      const work = join(folder, "work");
      await mkdir(work);
      const source = await unpackAndPatch(run, { from: origin.value, work, patches });
      if (!source.ok) return source;
      const compiled = await compile(run, source.value, configuration, variant.architecture);
      if (!compiled.ok) return compiled;
      await keepBuild(source.value, folder, variant.keep);
      await rm(work, { recursive: true });
      return succeed(undefined);
    });
  });
  if (xen.ok) await placeLink(xen.value, variant.link);
  return xen;
}

/** @param {import("./child.js").SetUp} setUp */
export function prepareXen(setUp) {
  return prepareVariant(setUp, usual);
}

/** @param {import("./child.js").SetUp} setUp */
export function prepareArm64Xen(setUp) {
  return prepareVariant(setUp, arm64);
}

/** @param {import("./child.js").SetUp} setUp */
export function prepareUnpatchedArm64Xen(setUp) {
  return prepareVariant(setUp, unpatchedArm64);
}

/** @param {import("./child.js").SetUp} setUp */
export function prepareBootDomainOnlyXen(setUp) {
  return prepareVariant(setUp, bootDomainOnly);
}

/**
 * Builds what tests hold Xen against.
 *
 * @param {import("./child.js").SetUp} setUp
 * @returns {Promise<import("./outcome.js").Outcome<unknown>>}
 */
export async function prepareComparedXens(setUp) {
  for (const variant of compared) {
    const built = await prepareVariant(setUp, variant);
    if (!built.ok) return built;
  }
  return succeed(undefined);
}
