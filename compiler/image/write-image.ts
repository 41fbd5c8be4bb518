// SPDX-License-Identifier: Apache-2.0
// Writes an image so that its path never holds half of one: under a temporary name in the same
// folder, then renamed.

import { open, rename, rm, stat } from "node:fs/promises";

/**
 * Writes or replaces the file at `path`; rejects as node:fs does, and leaves nothing then. A device
 * or folder is not replaced.
 */
export async function writeImage(path: string, bytes: Uint8Array): Promise<void> {
  const existing = await stat(path).catch(() => undefined);
  if (existing !== undefined && !existing.isFile()) {
    throw Object.assign(new Error(`${path} is no plain file`), { code: "not a plain file" });
  }
  const temporary = `${path}.${process.pid}.part`;
  try {
    const file = await open(temporary, "w");
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
