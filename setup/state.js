// SPDX-License-Identifier: Apache-2.0
// What this machine and checkout have and lack of what a set-up makes, each with its fix. Changes
// nothing; `domb doctor` and messages of exit code 3 speak from it.

import { existsSync } from "node:fs";
import { readFile, realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import { npmPackagesAreThere } from "./npm-packages.js";
import { installCommand, missingPackages, packages } from "./packages.js";
import { cacheFolder, paths } from "./paths.js";
import { projectIsBuilt } from "./project-build.js";
import { arm64, usual, wantedXenFolder } from "./xen-build.js";

/**
 * One thing that domb needs; `detail` says which it is, or what is amiss; `fix` is a command.
 *
 * @typedef {{ what: string, found: boolean, detail: string, fix?: string }} Finding
 */

const SET_UP = "npm run build";

/** @returns {Finding[]} */
function packageFindings() {
  const missing = missingPackages();
  return packages.map((wanted) =>
    missing.includes(wanted)
      ? {
          what: `package ${wanted.name}`,
          found: false,
          detail: `missing: ${wanted.reason}`,
          fix: installCommand([wanted]),
        }
      : { what: `package ${wanted.name}`, found: true, detail: wanted.reason },
  );
}

/**
 * @param {string} what
 * @param {boolean} found
 * @param {string} detail
 * @returns {Finding}
 */
function made(what, found, detail) {
  return found ? { what, found, detail } : { what, found, detail, fix: SET_UP };
}

/**
 * @param {string} what
 * @param {import("./paths.js").Architecture} architecture
 * @param {import("./xen-build.js").XenVariant} variant
 * @returns {Promise<Finding>}
 */
async function xenFinding(what, architecture, variant) {
  const xen = paths.xen("4.17", architecture);
  if (process.env.DOMB_XEN) return made(what, existsSync(xen), `${xen}, named by DOMB_XEN`);
  if (!existsSync(xen)) return made(what, false, "not built");
  const wanted = await wantedXenFolder(cacheFolder(), variant);
  const current = wanted === (await realpath(variant.link));
  return made(what, current, current ? xen : "built from other patches or tools");
}

/**
 * @param {string} what
 * @param {string} kernel
 * @returns {Promise<Finding>}
 */
async function guestKernelFinding(what, kernel) {
  if (!existsSync(kernel)) return made(what, false, "not fetched");
  const record = join(dirname(await realpath(kernel)), "package.txt");
  const version = await readFile(record, "utf8").catch(() => "not from the cache");
  return made(what, true, version.trim());
}

/**
 * @param {string} what
 * @param {string} path
 * @returns {Finding}
 */
function ramdiskFinding(what, path) {
  const found = existsSync(path);
  return made(what, found, found ? path : "not packed");
}

/**
 * All that is needed for every task, in the order in which a set-up makes it.
 *
 * @returns {Promise<Finding[]>}
 */
export async function findings() {
  const npm = await npmPackagesAreThere();
  const built = await projectIsBuilt();
  return [
    ...packageFindings(),
    made("npm packages", npm, npm ? "as package-lock.json says" : "not as package-lock.json says"),
    await xenFinding("Xen", "x86_64", usual),
    await xenFinding("Xen for arm64", "arm64", arm64),
    await guestKernelFinding("guest kernel", paths.guestKernel),
    await guestKernelFinding("guest kernel for arm64", paths.arm64GuestKernel),
    ramdiskFinding("guest ramdisk", paths.guestRamdisk),
    ramdiskFinding("guest ramdisk for arm64", paths.arm64GuestRamdisk),
    ramdiskFinding("control domain's ramdisk", paths.controlRamdisk),
    ...["links", "ordered", "recovery"].flatMap((example) => [
      ramdiskFinding(`ramdisk of examples/${example}`, paths.exampleRamdisk(example, "x86_64")),
      ramdiskFinding(
        `ramdisk of examples/${example} for arm64`,
        paths.exampleRamdisk(example, "arm64"),
      ),
    ]),
    made("domb", built, built ? paths.dist : "not built from the present sources"),
  ];
}
