// SPDX-License-Identifier: Apache-2.0
// Installs the npm packages of package-lock.json when node_modules holds others. npm's own record
// of what it installed tells; npm writes it last, so after an interrupted installation there is
// none.

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { withLog } from "./child.js";
import { succeed } from "./outcome.js";
import { paths } from "./paths.js";

/**
 * A package as npm's lock files describe it.
 *
 * @typedef {{ version?: string, integrity?: string, optional?: boolean, devOptional?: boolean }} LockedPackage
 */

/** @typedef {{ packages?: Record<string, LockedPackage> }} LockFile */

/**
 * Whether exactly the wanted packages are installed. Optional ones, such as those for other
 * processors, may lack.
 *
 * @param {LockFile} wanted package-lock.json
 * @param {LockFile} installed node_modules/.package-lock.json
 */
export function isInstalled(wanted, installed) {
  const there = new Map(Object.entries(installed.packages ?? {}));
  for (const [path, { version, integrity, optional, devOptional }] of Object.entries(
    wanted.packages ?? {},
  )) {
    if (path === "") continue;
    const found = there.get(path);
    there.delete(path);
    if (found === undefined && (optional || devOptional)) continue;
    if (found?.version !== version || found?.integrity !== integrity) return false;
  }
  return there.size === 0;
}

/** Whether node_modules is what package-lock.json wants. */
export async function npmPackagesAreThere() {
  const record = join(paths.nodeModules, ".package-lock.json");
  if (!existsSync(record)) return false;
  const wanted = await readFile(join(paths.checkout, "package-lock.json"), "utf8");
  try {
    return isInstalled(JSON.parse(wanted), JSON.parse(await readFile(record, "utf8")));
  } catch {
    // A record cut short by an interruption.
    return false;
  }
}

/**
 * @param {import("./child.js").SetUp} setUp
 * @returns {Promise<import("./outcome.js").Outcome<unknown>>}
 */
export async function prepareNpmPackages(setUp) {
  if (await npmPackagesAreThere()) return succeed(undefined);
  const step = { title: "installing npm packages", log: "npm-packages" };
  return withLog(setUp, step, (run) =>
    run("npm", ["ci", "--no-audit", "--no-fund"], { cwd: paths.checkout }),
  );
}
