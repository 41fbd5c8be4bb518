// SPDX-License-Identifier: Apache-2.0
// Writes the files of a medium into a folder so that none of them is ever half there: each under a
// temporary name beside its place, and only when all are whole, each gets its name, in their order.

import { mkdir, open, rename, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { MediumFile } from "./launch-parts.js";

/** Rejects as node:fs does, with the path; what was in the folder before is still there then. */
export async function placeFiles(
  directory: string,
  files: readonly MediumFile[],
  signal?: AbortSignal,
): Promise<void> {
  const places = files.map(({ path, bytes }) => ({
    path: join(directory, path),
    temporary: `${join(directory, path)}.${process.pid}.part`,
    bytes,
  }));
  /** Folders that were not there before. */
  const made: string[] = [];
  try {
    for (const { path, temporary, bytes } of places) {
      await makeFolder(dirname(path), made);
      const there = await stat(path).catch(() => undefined);
      if (there !== undefined && !there.isFile()) {
        throw Object.assign(new Error(`${path} is no plain file`), {
          code: "not a plain file",
          path,
        });
      }
      await writeWhole(temporary, bytes);
      signal?.throwIfAborted();
    }
  } catch (error) {
    for (const { temporary } of places) await rm(temporary, { force: true }).catch(() => {});
    for (const folder of made.reverse()) await rmdir(folder).catch(() => {});
    throw error;
  }
  for (const { path, temporary } of places) await rename(temporary, path);
}

/** Makes a folder and those above it; Node's own way never ends where a file system takes none. */
async function makeFolder(path: string, made: string[]): Promise<void> {
  const there = await stat(path).catch(() => undefined);
  if (there?.isDirectory()) return;
  if (dirname(path) !== path) await makeFolder(dirname(path), made);
  await mkdir(path);
  made.push(path);
}

async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, "w");
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}
