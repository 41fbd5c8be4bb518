// SPDX-License-Identifier: Apache-2.0
// One set-up at a time for each cache. The lock is the kernel's (flock) on a file that this process
// and its children hold open, so it can't go stale: it ends with the last of them, also when they
// are killed. The file names the process that took it, for who waits.

import { spawn, spawnSync } from "node:child_process";
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { EXIT, fail, INTERRUPTED, succeed } from "./outcome.js";

/** Exit code that asks flock for; it means "held by another". */
const HELD = 75;

/** @typedef {{ file: number, release: () => void }} Lock */

/**
 * Waits for the lock, and says for whom.
 *
 * @param {string} path
 * @param {{ onWait: (holder: string) => void, signal: AbortSignal }} options
 * @returns {Promise<import("./outcome.js").Outcome<Lock>>}
 */
export async function takeLock(path, { onWait, signal }) {
  const file = openSync(path, "a+");
  /** @type {import("node:child_process").StdioOptions} */
  const stdio = ["ignore", "ignore", "ignore", file];
  const options = ["--exclusive", "--conflict-exit-code", String(HELD)];
  let code = spawnSync("flock", [...options, "--nonblock", "3"], { stdio }).status;
  if (code === HELD) {
    onWait(readFileSync(path, "utf8").trim() || "unknown");
    code = await new Promise((resolve) => {
      const child = spawn("flock", [...options, "3"], { stdio, signal });
      child.on("error", () => resolve(null));
      child.on("exit", resolve);
    });
  }
  if (signal.aborted) {
    closeSync(file);
    return INTERRUPTED;
  }
  if (code !== 0) {
    closeSync(file);
    const what = `cannot lock ${path}: the program flock is missing or refused (code ${code})`;
    return fail({ exitCode: EXIT.environment, what, fix: "install the package util-linux" });
  }
  ftruncateSync(file);
  writeSync(file, String(process.pid));
  return succeed({ file, release: () => closeSync(file) });
}
