// SPDX-License-Identifier: Apache-2.0
// What is kept of a built Xen: the bootable `xen`, `xen.config`, and what its variant names. What
// keeps that moves it from the source's folder to another.

import { cp, mkdir, readdir, rename } from "node:fs/promises";
import { dirname, join } from "node:path";

/** Where Xen's tree has its FLASK reference policy. */
const POLICY_SOURCES = [join("tools", "flask", "policy"), join("xen", "xsm", "flask", "policy")];

/** Xen as a program of EFI firmware on x86-64; on arm64 `xen` itself is one. */
export const EFI_XEN = "xen.efi";

/**
 * Keeps what launches are built against: the public headers, the sources of FLASK's policy; Xen for
 * EFI firmware; and `xen-syms`, with symbols and debug information, for figures.
 *
 * @param {string} source
 * @param {string} folder
 */
export async function keepInterface(source, folder) {
  await keepHeaders(source, folder);
  for (const part of POLICY_SOURCES) {
    await cp(join(source, part), join(folder, "policy-source", part), { recursive: true });
  }
  for (const name of [EFI_XEN, "xen-syms"]) {
    await rename(join(source, "xen", name), join(folder, name));
  }
}

/**
 * Keeps the same of arm64, but for what the usual build has: the policy is one for both.
 *
 * @param {string} source
 * @param {string} folder
 */
export async function keepArm64Interface(source, folder) {
  await keepHeaders(source, folder);
  await keepSymbols(source, folder);
}

/**
 * @param {string} source
 * @param {string} folder
 */
async function keepSymbols(source, folder) {
  await rename(join(source, "xen", "xen-syms"), join(folder, "xen-syms"));
}

/**
 * @param {string} source
 * @param {string} folder
 */
export async function keepObjectsAndSymbols(source, folder) {
  await keepObjects(source, folder);
  await keepSymbols(source, folder);
}

/**
 * @param {string} source
 * @param {string} folder
 */
async function keepHeaders(source, folder) {
  const headers = join("include", "public");
  await mkdir(join(folder, "include"));
  await cp(join(source, "xen", headers), join(folder, headers), { recursive: true });
}

/**
 * Keeps the objects that the compiler made, in `objects`: neither what is linked or copied from
 * these, nor programs of the build.
 *
 * @param {string} source
 * @param {string} folder
 */
export async function keepObjects(source, folder) {
  const isLinked = (/** @type {string} */ name) => /^(\.|built_in|prelink)|\.init\.o$/.test(name);
  const move = async (/** @type {string} */ from, /** @type {string} */ to) => {
    for (const entry of await readdir(from, { withFileTypes: true })) {
      const [path, kept] = [join(from, entry.name), join(to, entry.name)];
      if (entry.isDirectory() && entry.name !== "tools") await move(path, kept);
      if (!entry.isFile() || !entry.name.endsWith(".o") || isLinked(entry.name)) continue;
      await mkdir(dirname(kept), { recursive: true });
      await rename(path, kept);
    }
  };
  await move(join(source, "xen"), join(folder, "objects"));
}

/**
 * Moves what is kept of a built tree to `folder`.
 *
 * @param {string} source
 * @param {string} folder
 */
export async function keepBuild(source, folder, keep = keepInterface) {
  const tree = join(source, "xen");
  await rename(join(tree, "xen"), join(folder, "xen"));
  await rename(join(tree, ".config"), join(folder, "xen.config"));
  await keep(source, folder);
}
