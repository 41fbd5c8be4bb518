#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Entry of the `domb` command.

import { runProgram } from "./program.js";

await runProgram(process.argv.slice(2));
