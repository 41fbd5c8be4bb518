// SPDX-License-Identifier: Apache-2.0
// The compiler's edge: reads the files that a launch is made of, each once however many domains
// name it. What a file is good for, the other stages decide.

import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { MAX_IMAGE_BYTES } from "../../contract/limits.js";
import type { LaunchDescription } from "../description/description.js";
import type { Diagnostic, Place, Result } from "../diagnostics/diagnostic.js";
import type { MaterialFile } from "./material-file.js";
import { materialFault } from "./material-file.js";

/** Reads a whole file; rejects as node:fs does, with an error that has a code. */
export type ReadFile = (path: string) => Promise<Uint8Array>;

/** Reads a plain file of the file system: a device or a pipe might never end. */
export async function readPlainFile(path: string): Promise<Uint8Array> {
  // Without O_NONBLOCK, opening a pipe waits for its writer.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const status = await file.stat();
    if (!status.isFile()) {
      const code = status.isDirectory() ? "EISDIR" : "it is no plain file";
      throw Object.assign(new Error(path), { code });
    }
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/** Reads every file of the description; by path. All that can't be read are reported. */
export async function readFiles(
  description: LaunchDescription,
  readFile: ReadFile,
): Promise<Result<ReadonlyMap<string, MaterialFile>>> {
  const files = new Map<string, MaterialFile>();
  const diagnostics: Diagnostic[] = [];
  for (const { path, place } of namedFiles(description)) {
    if (files.has(path)) continue;
    const file = await readMaterial(path, place, readFile);
    diagnostics.push(...file.diagnostics);
    files.set(path, file.ok ? file.value : { path, place, bytes: new Uint8Array() });
  }
  return diagnostics.length === 0
    ? { ok: true, value: files, diagnostics }
    : { ok: false, diagnostics };
}

function namedFiles(description: LaunchDescription): readonly { path: string; place: Place }[] {
  const { policy, board, domains } = description;
  const ofPolicy =
    policy === undefined ? [] : [{ path: policy, place: description.placeOf(["policy", "xsm"]) }];
  const ofBoard =
    board === undefined ? [] : [{ path: board, place: description.placeOf(["host", "board"]) }];
  const ofDomains = domains.flatMap(({ name, kernel, ramdisk }) => [
    { path: kernel, place: description.placeOf(["domains", name, "kernel"]) },
    ...(ramdisk === undefined
      ? []
      : [{ path: ramdisk, place: description.placeOf(["domains", name, "ramdisk"]) }]),
  ]);
  return [...ofBoard, ...ofPolicy, ...ofDomains];
}

async function readMaterial(
  path: string,
  place: Place,
  readFile: ReadFile,
): Promise<Result<MaterialFile>> {
  let file: MaterialFile = { path, place, bytes: new Uint8Array() };
  try {
    file = { path, place, bytes: await readFile(path) };
  } catch (error) {
    if (!isSystemError(error)) throw error;
    if (error.code === "ENOENT" || error.code === "ENOTDIR") {
      return materialFault(file, "DOMB3001", "there is no such file", "Correct the path.");
    }
    return materialFault(
      file,
      "DOMB3002",
      `the file can't be read (${error.code})`,
      "Give a plain file that the user running domb may read.",
    );
  }
  if (file.bytes.length === 0 || file.bytes.length > MAX_IMAGE_BYTES) {
    return materialFault(
      file,
      "DOMB3003",
      `the file has ${file.bytes.length} bytes, wanted 1 to ${MAX_IMAGE_BYTES}`,
      "Give the right file, or leave the key out.",
    );
  }
  return { ok: true, value: file, diagnostics: [] };
}

/** Errors of the operating system have a code; anything else is a bug of the caller's. */
function isSystemError(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && "code" in error && typeof error.code === "string";
}
