// SPDX-License-Identifier: Apache-2.0
// An apt of our own, in the cache: Debian's places as the machine's own lists name them, but with
// lists, caches and status apart, for each architecture. So it needs no root, and the machine's apt
// isn't touched. The machine's other settings (proxies, authentication) hold.

import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import {
  DEBIAN_RELEASE,
  debianSources,
  formatSourcesList,
  parseListFile,
  parseSourcesFile,
} from "./apt-sources.js";
import { EXIT, fail, succeed } from "./outcome.js";

const ATTEMPTS = 3;
const RETRY_MS = 3000;

/**
 * Debian's names of the architectures.
 *
 * @type {Readonly<Record<import("./paths.js").Architecture, string>>}
 */
export const DEBIAN_ARCHITECTURES = { x86_64: "amd64", arm64: "arm64" };

/**
 * The name of a thing in the cache that each architecture has one of; x86-64's has the name alone.
 *
 * @param {string} name
 * @param {import("./paths.js").Architecture} architecture
 */
export function cacheName(name, architecture) {
  return architecture === "x86_64" ? name : `${name}-${architecture}`;
}

/**
 * @param {string} folder where the machine's apt keeps its settings
 */
async function machineSources(folder = "/etc/apt") {
  const parts = join(folder, "sources.list.d");
  const names = existsSync(parts) ? (await readdir(parts)).sort() : [];
  const files = [join(folder, "sources.list"), ...names.map((name) => join(parts, name))];
  const sources = [];
  for (const file of files) {
    if (!existsSync(file)) continue;
    const text = await readFile(file, "utf8");
    if (file.endsWith(".list")) sources.push(...parseListFile(text));
    if (file.endsWith(".sources")) sources.push(...parseSourcesFile(text));
  }
  return sources;
}

/**
 * Settings of the private apt. As root, apt would want to download as its own user, who may not
 * write to the cache. Hooks of the machine are for the machine's own lists.
 *
 * @param {string} folder
 * @param {string} architecture
 */
function settings(folder, architecture) {
  return `Dir::State "${folder}";
Dir::State::Lists "${folder}/lists";
Dir::State::status "${folder}/status";
Dir::Cache "${folder}/cache";
Dir::Etc::SourceList "${folder}/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
APT::Architecture "${architecture}";
#clear APT::Architectures;
APT::Architectures { "${architecture}"; };
APT::Sandbox::User "root";
Acquire::Languages "none";
#clear APT::Update;
#clear DPkg;
#clear Acquire::IndexTargets::deb::DEP-11;
`;
}

/** @typedef {{ configuration: string, attempt: (...parameters: Parameters<import("./child.js").Run>) => ReturnType<import("./child.js").Run> }} PrivateApt */

/**
 * A private apt with fresh lists. `attempt` runs a program again after a passing trouble.
 *
 * @param {import("./child.js").SetUp} setUp
 * @param {import("./child.js").Run} run
 * @param {import("./paths.js").Architecture} architecture
 * @returns {Promise<import("./outcome.js").Outcome<PrivateApt>>}
 */
export async function openApt({ cache, signal }, run, architecture = "x86_64") {
  const sources = debianSources(await machineSources());
  if (sources.length === 0) {
    return fail({
      exitCode: EXIT.environment,
      what: `this machine's apt sources name no "main" of Debian 12 (${DEBIAN_RELEASE})`,
      fix: `add Debian's ${DEBIAN_RELEASE} to /etc/apt/sources.list.d, or use Debian 12`,
    });
  }
  const folder = join(cache, cacheName("apt", architecture));
  for (const part of ["lists/partial", "cache/archives/partial"]) {
    await mkdir(join(folder, part), { recursive: true });
  }
  const configuration = join(folder, "apt.conf");
  await writeFile(join(folder, "status"), "");
  await writeFile(join(folder, "sources.list"), formatSourcesList(sources));
  await writeFile(configuration, settings(folder, DEBIAN_ARCHITECTURES[architecture]));

  /** @type {PrivateApt["attempt"]} */
  const attempt = async (...parameters) => {
    for (let left = ATTEMPTS - 1; ; left--) {
      const outcome = await run(...parameters);
      if (outcome.ok || left === 0 || signal.aborted) return outcome;
      await setTimeout(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  };
  const updated = await attempt("apt-get", ["-c", configuration, "update"]);
  return updated.ok ? succeed({ configuration, attempt }) : updated;
}
