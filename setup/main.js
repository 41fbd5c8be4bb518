// SPDX-License-Identifier: Apache-2.0
// A set-up from beginning to end: read the arguments, take the lock, prepare, let go of the lock,
// run the task. Ends with the task's own exit code.

import { spawn } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { removeLeftovers } from "./cache.js";
import { takeLock } from "./lock.js";
import { describeFailure, EXIT, fail, INTERRUPTED, succeed } from "./outcome.js";
import { cacheFolder } from "./paths.js";
import { createProgress } from "./progress.js";
import { tasks } from "./tasks.js";

/** @type {readonly NodeJS.Signals[]} */
const INTERRUPTIONS = ["SIGINT", "SIGTERM", "SIGHUP"];

const USAGE = `usage: node setup/run.js TASK [--yes] [ARGUMENT…]

Prepares this machine for a task and runs it, with its arguments. --yes installs missing Debian
packages without a question, and so does CI=true in the environment.

${Object.entries(tasks)
  .map(([name, { summary }]) => `  ${name.padEnd(9)}  ${summary}`)
  .join("\n")}`;

/**
 * @param {readonly string[]} parameters
 * @returns {{ name: string, assumeYes: boolean, rest: string[] } | undefined}
 */
export function parseArguments([name, ...rest]) {
  if (name === undefined || !Object.hasOwn(tasks, name)) return undefined;
  const others = rest.filter((parameter) => parameter !== "--yes");
  return { name, assumeYes: others.length < rest.length, rest: others };
}

/**
 * What the file system refused (no space, no permission) as a failure; other exceptions are bugs.
 *
 * @param {unknown} error
 */
export function fileSystemFailure(error) {
  if (!(error instanceof Error && "syscall" in error && "code" in error)) throw error;
  return fail({
    exitCode: EXIT.environment,
    what: error.message,
    fix: "give it space and permission, or name another folder for the cache by DOMB_CACHE",
  });
}

/**
 * Makes a folder and those above it. Node's own recursion never ends where Linux says ENOENT for a
 * folder that can't be made, as in /proc.
 *
 * @param {string} folder
 */
function makeFolder(folder) {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  mkdirSync(folder);
}

/**
 * @param {import("./tasks.js").Task} task
 * @param {{ environment: NodeJS.ProcessEnv, assumeYes: boolean }} options
 * @returns {Promise<import("./outcome.js").Outcome<unknown>>}
 */
async function prepare(task, { environment, assumeYes }) {
  const progress = createProgress(process.stderr);
  const interruption = new AbortController();
  const interrupt = () => interruption.abort();
  for (const name of INTERRUPTIONS) process.on(name, interrupt);
  const { signal } = interruption;
  const cache = cacheFolder(environment);
  makeFolder(cache);
  const onWait = (/** @type {string} */ holder) =>
    progress.line(`waiting for another set-up, process ${holder}`);
  const lock = await takeLock(join(cache, "lock"), { onWait, signal });
  if (!lock.ok) return lock;
  try {
    await removeLeftovers(cache);
    const lockFile = lock.value.file;
    for (const preparation of task.preparations) {
      if (signal.aborted) return INTERRUPTED;
      const setUp = { cache, environment, assumeYes, progress, signal, lockFile };
      const outcome = await preparation(setUp);
      if (signal.aborted) return INTERRUPTED;
      if (!outcome.ok) return outcome;
    }
    return succeed(undefined);
  } finally {
    lock.value.release();
    for (const name of INTERRUPTIONS) process.off(name, interrupt);
  }
}

/**
 * Runs the task in the foreground. On a terminal Ctrl-C reaches it by itself.
 *
 * @param {readonly string[]} command parameters of Node
 * @param {NodeJS.ProcessEnv} environment
 * @returns {Promise<number>} its exit code
 */
function runTask(command, environment) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, command, { stdio: "inherit", env: environment });
    for (const name of INTERRUPTIONS) {
      process.on(name, () => {
        if (name !== "SIGINT" || !process.stdin.isTTY) child.kill(name);
      });
    }
    child.on("error", reject);
    child.on("exit", (code, by) => resolve(code ?? 128 + constants.signals[by ?? "SIGTERM"]));
  });
}

/**
 * @param {readonly string[]} parameters
 * @param {NodeJS.ProcessEnv} environment
 * @returns {Promise<number>} exit code
 */
export async function main(parameters, environment) {
  if (["--help", "-h"].includes(parameters[0] ?? "")) {
    console.log(USAGE);
    return 0;
  }
  const wanted = parseArguments(parameters);
  const task = wanted && tasks[wanted.name];
  if (!wanted || !task) {
    console.error(USAGE);
    return EXIT.usage;
  }
  const assumeYes = wanted.assumeYes || environment.CI === "true";
  const prepared = await prepare(task, { environment, assumeYes }).catch(fileSystemFailure);
  if (!prepared.ok) {
    console.error(describeFailure(prepared.failure));
    return prepared.failure.exitCode;
  }
  if (!task.command) return 0;
  return runTask([...task.command, ...wanted.rest], { ...environment, ...task.environment });
}
