// SPDX-License-Identifier: Apache-2.0
// The commands that scripts may already count on, and that do not work yet: they say so.

import type { Command } from "commander";
import { CommandError } from "../answer.js";

const laterCommands = {
  measure: "predict what a boot measures",
  status: "ask a running host for its receipt",
} as const;

export function registerLater(program: Command): void {
  for (const [name, summary] of Object.entries(laterCommands)) {
    program
      .command(name)
      .summary(`${summary} (not yet)`)
      .description(`Is to ${summary}. It does not work yet.`)
      .allowUnknownOption()
      .allowExcessArguments()
      .action(() => {
        const fix = "See `domb --help` for what works today.";
        throw new CommandError("DOMB6005", `domb ${name}: not yet`, fix);
      });
  }
}
