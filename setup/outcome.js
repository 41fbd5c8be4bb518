// SPDX-License-Identifier: Apache-2.0
// What a preparation ends in: a value, or a failure with the exit code that it deserves. Exceptions
// are left to bugs.

/** Exit codes of a set-up: a failed task, bad usage, a lacking environment, an interruption. */
export const EXIT = { task: 1, usage: 2, environment: 3, interrupted: 130 };

/**
 * What is wrong and what to do about it; `log` is the path of the whole story, `tail` its end.
 *
 * @typedef {{ exitCode: number, what: string, fix?: string, log?: string, tail?: string }} Failure
 */

/**
 * @template T
 * @typedef {{ ok: true, value: T } | { ok: false, failure: Failure }} Outcome
 */

/**
 * @template T
 * @param {T} value
 * @returns {{ ok: true, value: T }}
 */
export function succeed(value) {
  return { ok: true, value };
}

/**
 * @param {Failure} failure
 * @returns {{ ok: false, failure: Failure }}
 */
export function fail(failure) {
  return { ok: false, failure };
}

export const INTERRUPTED = fail({ exitCode: EXIT.interrupted, what: "interrupted" });

/**
 * A failure as a person reads it: what, the log's end, where the rest is, the fix.
 *
 * @param {Failure} failure
 */
export function describeFailure(failure) {
  return [
    failure.what,
    ...(failure.tail ? [failure.tail.replace(/^/gm, "  | ")] : []),
    ...(failure.log ? [`log: ${failure.log}`] : []),
    ...(failure.fix ? [`fix: ${failure.fix}`] : []),
  ].join("\n");
}
