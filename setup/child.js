// SPDX-License-Identifier: Apache-2.0
// Runs the programs of a preparation: output goes to its log, an interruption ends them with all
// their children. They share the set-up's lock, so that none of them works on unlocked, and end
// with the set-up should that be killed.

import { spawn, spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { EXIT, fail, INTERRUPTED, succeed } from "./outcome.js";
import { lastLines } from "./progress.js";

const GRACE_MS = 2000;
const TAIL_LINES = 15;

/**
 * What all preparations share.
 *
 * @typedef {object} SetUp
 * @property {string} cache folder of the cache
 * @property {NodeJS.ProcessEnv} environment
 * @property {boolean} assumeYes install packages without a question
 * @property {import("./progress.js").Progress} progress
 * @property {AbortSignal} signal aborted by an interruption
 * @property {number} lockFile descriptor of the held lock
 */

/**
 * How to run a program. `patient` programs are asked to end and then waited for, since killing
 * them would leave the machine half-changed.
 *
 * @typedef {object} RunOptions
 * @property {string} [cwd]
 * @property {NodeJS.ProcessEnv} [env] added to the set-up's
 * @property {boolean} [patient]
 */

/** @typedef {(command: string, parameters: readonly string[], options?: RunOptions) => Promise<import("./outcome.js").Outcome<undefined>>} Run */

/** @param {number} group @param {NodeJS.Signals} signal */
function signalGroup(group, signal) {
  try {
    process.kill(-group, signal);
  } catch {
    // The group has ended, or is root's by sudo: then its end is waited for.
  }
}

/**
 * @param {import("node:child_process").ChildProcess} child
 * @param {AbortSignal} signal
 * @param {boolean} patient
 * @returns {Promise<string | undefined>} why it failed; undefined: it did not
 */
function ended(child, signal, patient) {
  return new Promise((resolve) => {
    /** @type {NodeJS.Timeout | undefined} */
    let grace;
    const interrupt = () => {
      if (child.pid === undefined) return;
      if (patient) {
        child.kill("SIGINT");
        return;
      }
      const group = child.pid;
      signalGroup(group, "SIGTERM");
      grace = setTimeout(() => signalGroup(group, "SIGKILL"), GRACE_MS);
    };
    const finish = (/** @type {string | undefined} */ reason) => {
      clearTimeout(grace);
      signal.removeEventListener("abort", interrupt);
      if (signal.aborted && !patient && child.pid !== undefined) signalGroup(child.pid, "SIGKILL");
      resolve(reason);
    };
    signal.addEventListener("abort", interrupt);
    child.on("error", (error) => finish(error.message));
    child.on("exit", (code, by) => finish(code === 0 ? undefined : by ? `${by}` : `code ${code}`));
  });
}

/**
 * One line for a person, and a log, around the programs that `work` runs.
 *
 * @template T
 * @param {SetUp} setUp
 * @param {{ title: string, log: string }} step
 * @param {(run: Run) => Promise<import("./outcome.js").Outcome<T>>} work
 * @returns {Promise<import("./outcome.js").Outcome<T>>}
 */
export async function withLog(setUp, { title, log }, work) {
  const folder = join(setUp.cache, "log");
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${log}.log`);
  const file = openSync(path, "w");
  const step = setUp.progress.begin(title, path);

  /** @type {Run} */
  const run = async (command, parameters, { cwd, env, patient = false } = {}) => {
    if (setUp.signal.aborted) return INTERRUPTED;
    const program = [command, ...parameters];
    const text = program.join(" ");
    writeSync(file, `$ ${text}\n`);
    const words = patient ? program : ["setpriv", "--pdeathsig", "TERM", "--", ...program];
    const [first = "", ...rest] = words;
    const child = spawn(first, rest, {
      cwd,
      env: { ...setUp.environment, ...env },
      stdio: ["ignore", file, file, setUp.lockFile],
      detached: true,
    });
    const reason = await ended(child, setUp.signal, patient);
    if (setUp.signal.aborted) return INTERRUPTED;
    if (reason === undefined) return succeed(undefined);
    return fail({
      exitCode: EXIT.environment,
      what: `${title} failed: \`${text}\` ended with ${reason}`,
      log: path,
      tail: lastLines(path, TAIL_LINES).join("\n"),
    });
  };

  let result = "failed";
  try {
    const outcome = await work(run);
    if (outcome.ok) result = "done";
    else if (outcome.failure === INTERRUPTED.failure) result = "interrupted";
    return outcome;
  } finally {
    closeSync(file);
    step.end(result);
  }
}

/**
 * What a quick program prints, or undefined if it fails or is not there.
 *
 * @param {string} command
 * @param {readonly string[]} parameters
 */
export function outputOf(command, parameters) {
  const { status, stdout } = spawnSync(command, parameters, {
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  return status === 0 ? stdout : undefined;
}
