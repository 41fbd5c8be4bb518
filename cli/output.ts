// SPDX-License-Identifier: Apache-2.0
// Files that commands write: whole or not at all, and never in place of what they are made of.

import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { writeImage } from "../compiler/image/write-image.js";
import { CommandError, EXIT } from "./answer.js";

/**
 * Writes or replaces a file, which none of `sources` may be, and which `option` names; an interrupt
 * meanwhile waits, so that no part of one is left.
 */
export async function writeOutput(
  path: string,
  bytes: Uint8Array,
  sources: readonly string[] = [],
  option = "--output",
): Promise<void> {
  await refuseToReplace(path, sources, option);
  const onInterrupt = (): void => {
    process.exitCode = EXIT.interrupted;
  };
  process.on("SIGINT", onInterrupt).on("SIGTERM", onInterrupt);
  try {
    await writeImage(path, bytes);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw unwritable(path, code, option);
  } finally {
    process.off("SIGINT", onInterrupt).off("SIGTERM", onInterrupt);
  }
}

/** A device, or a file that the output is made of, must not become the output. */
async function refuseToReplace(
  path: string,
  sources: readonly string[],
  option: string,
): Promise<void> {
  const there = await stat(path).catch(() => undefined);
  if (there === undefined) return;
  if (!there.isFile()) throw unwritable(path, "it is no plain file", option);
  for (const file of new Set(sources)) {
    const source = await stat(file).catch(() => undefined);
    if (source?.dev === there.dev && source.ino === there.ino) {
      throw unwritable(path, "the launch is made of it", option);
    }
  }
}

/** Says that a file can't be written, and why; `option` names it. */
export function unwritable(path: string, reason: string, option = "--output"): CommandError {
  const fix = `Give a place that this user may write to with ${option}.`;
  return new CommandError("DOMB6003", `${path} can't be written (${reason})`, fix);
}

/**
 * Makes a folder with those around it, unless it is there; rejects as node:fs does. Node's own
 * recursive way tries for ever where a file system makes no folders, as /proc.
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST" && (await stat(path)).isDirectory()) return;
    if (code !== "ENOENT" || dirname(path) === path) throw error;
    await makeFolder(dirname(path));
    await mkdir(path);
  }
}
