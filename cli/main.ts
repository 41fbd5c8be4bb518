#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Entry of the `domb` command.

import { runProgram, tellError } from "./program.js";

// A reader that goes away early, as `head` does, is no fault: what is left to write is dropped.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") process.exitCode = tellError(error);
  });
}
process.on("uncaughtException", (error) => process.exit(tellError(error)));

await runProgram(process.argv.slice(2));
