// SPDX-License-Identifier: Apache-2.0
// The environment of every program that builds what a launch is started with: the same for all, so
// that equal inputs give equal bytes whoever builds them, where and when.

/** What tells programs of a build where and when they run, instead of the machine. */
export const SAME_EVERYWHERE = { SOURCE_DATE_EPOCH: "0", LC_ALL: "C", TZ: "UTC" };

/** What is taken from the caller: where programs, their libraries and their own files are. */
const TAKEN = ["PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "LD_PRELOAD"];

/**
 * To be added to the caller's environment: all else of that is undefined in it. Make, Xen's
 * makefiles and gcc read dozens of variables (CFLAGS, XEN_VENDORVERSION, C_INCLUDE_PATH).
 *
 * @param {NodeJS.ProcessEnv} caller
 * @returns {NodeJS.ProcessEnv}
 */
export function buildEnvironment(caller = process.env) {
  const others = Object.keys(caller).filter((name) => !TAKEN.includes(name));
  return { ...Object.fromEntries(others.map((name) => [name, undefined])), ...SAME_EVERYWHERE };
}
