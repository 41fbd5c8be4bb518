// SPDX-License-Identifier: Apache-2.0
// Folders in the cache, each filled once and found by its content's key. A folder is filled under
// a temporary name and renamed when it is whole, so what has its name is whole. The set-up's lock
// must be held: what temporary folders are there when a set-up begins, an interrupted one left.

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readlink, rename, rm, symlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { INTERRUPTED, succeed } from "./outcome.js";

const KEY_DIGITS = 32;

/**
 * Key of what is made from these inputs; order counts.
 *
 * @param {readonly (string | Uint8Array)[]} inputs
 */
export function contentKey(inputs) {
  const hash = createHash("sha256");
  for (const input of inputs) hash.update(`${input.length}:`).update(input);
  return hash.digest("hex").slice(0, KEY_DIGITS);
}

/** @param {string} cache */
function temporaryFolder(cache) {
  return join(cache, "temporary");
}

/**
 * Removes what an interrupted set-up left.
 *
 * @param {string} cache
 */
export async function removeLeftovers(cache) {
  await rm(temporaryFolder(cache), { recursive: true, force: true, maxRetries: 5 });
}

/**
 * Path of the folder `name` in the cache; `fillFolder` makes its content if it isn't there yet.
 *
 * @param {{ cache: string, signal: AbortSignal }} setUp
 * @param {string} name
 * @param {(folder: string) => Promise<import("./outcome.js").Outcome<unknown>>} fillFolder
 * @returns {Promise<import("./outcome.js").Outcome<string>>}
 */
export async function cached({ cache, signal }, name, fillFolder) {
  const final = join(cache, name);
  if (existsSync(final)) return succeed(final);
  await mkdir(temporaryFolder(cache), { recursive: true });
  const temporary = await mkdtemp(join(temporaryFolder(cache), `${basename(name)}-`));
  try {
    const outcome = await fillFolder(temporary);
    if (!outcome.ok) return outcome;
    if (signal.aborted) return INTERRUPTED;
    await mkdir(dirname(final), { recursive: true });
    await rename(temporary, final);
    return succeed(final);
  } finally {
    await rm(temporary, { recursive: true, force: true, maxRetries: 5 });
  }
}

/**
 * Makes `link` point to `target`, whatever was there before, in one step.
 *
 * @param {string} target
 * @param {string} link
 */
export async function placeLink(target, link) {
  if ((await readlink(link).catch(() => "")) === target) return;
  const temporary = `${link}.new`;
  await mkdir(dirname(link), { recursive: true });
  await rm(temporary, { force: true });
  await symlink(target, temporary);
  await rename(temporary, link);
}
