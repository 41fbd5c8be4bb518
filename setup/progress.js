// SPDX-License-Identifier: Apache-2.0
// What a person sees of a set-up, on stderr, for stdout is the task's: one line for each
// preparation that has something to do. On a terminal a long one shows its time and the last line
// of its log meanwhile; elsewhere its line names the log and nothing follows.

import { closeSync, fstatSync, openSync, readSync } from "node:fs";

const REFRESH_MS = 200;
const TAIL_BYTES = 4096;

/** @typedef {{ end: (result: string) => void }} Step */

/** @typedef {{ line: (text: string) => void, begin: (title: string, log: string) => Step }} Progress */

/**
 * The last lines that hold something, without the control sequences of a terminal.
 *
 * @param {string} path
 * @param {number} count
 */
export function lastLines(path, count) {
  const file = openSync(path, "r");
  try {
    const { size } = fstatSync(file);
    const buffer = Buffer.alloc(Math.min(size, TAIL_BYTES));
    readSync(file, buffer, 0, buffer.length, size - buffer.length);
    return buffer
      .toString()
      .split(/[\r\n]+/)
      .map((line) => printable(line).trim())
      .filter((line) => line !== "")
      .slice(-count);
  } finally {
    closeSync(file);
  }
}

/** @param {string} text */
function printable(text) {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
  return text.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, "").replace(/[\x00-\x1f\x7f]/g, " ");
}

/**
 * Minutes and seconds, as 3:07.
 *
 * @param {number} milliseconds
 */
export function formatElapsed(milliseconds) {
  const seconds = Math.floor(milliseconds / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/**
 * @param {import("node:tty").WriteStream | NodeJS.WritableStream} stream
 * @returns {Progress}
 */
export function createProgress(stream) {
  /** @param {string} text */
  const line = (text) => void stream.write(`set-up: ${text}\n`);
  if (!("isTTY" in stream && stream.isTTY)) {
    return {
      line,
      begin(title, log) {
        line(`${title} (log: ${log})`);
        return { end() {} };
      },
    };
  }
  return {
    line,
    begin(title, log) {
      const began = Date.now();
      const show = () => {
        const elapsed = formatElapsed(Date.now() - began);
        const text = `set-up: ${title} (${elapsed}) ${lastLines(log, 1)[0] ?? ""}`;
        stream.write(`\r\x1b[K${text.slice(0, stream.columns - 1)}`);
      };
      show();
      const timer = setInterval(show, REFRESH_MS);
      return {
        end(result) {
          clearInterval(timer);
          const elapsed = formatElapsed(Date.now() - began);
          stream.write(`\r\x1b[K`);
          line(`${title}: ${result} (${elapsed}; log: ${log})`);
        },
      };
    },
  };
}
