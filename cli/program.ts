// SPDX-License-Identifier: Apache-2.0
// The `domb` command: its table of contents, and how it ends when something is in the way.

import { Command, CommanderError } from "commander";
import { CommandError, EXIT } from "./answer.js";
import { registerBoot } from "./commands/boot.js";
import { registerBuild } from "./commands/build.js";
import { registerCheck } from "./commands/check.js";
import { registerDoctor } from "./commands/doctor.js";
import { registerExplain } from "./commands/explain.js";
import { registerInit } from "./commands/init.js";
import { registerLater } from "./commands/later.js";
import { registerSimulate } from "./commands/simulate.js";
import { printable } from "./render-diagnostics.js";
import { versionText } from "./version.js";

/** The program with all its commands. */
export function makeProgram(): Command {
  const program = new Command("domb")
    .description("Launches a whole Xen host from one image, by a boot domain that then exits.")
    .version(versionText(), "-V, --version", "print versions and digests")
    .showSuggestionAfterError()
    .showHelpAfterError("Run it with --help for what it takes.")
    .exitOverride();
  registerInit(program);
  registerDoctor(program);
  registerCheck(program);
  registerBuild(program);
  registerExplain(program);
  registerSimulate(program);
  registerBoot(program);
  registerLater(program);
  return program;
}

/** Runs the program; sets the process's exit code and never throws. */
export async function runProgram(words: readonly string[]): Promise<void> {
  try {
    await makeProgram().parseAsync([...words], { from: "user" });
  } catch (error) {
    process.exitCode = exitCodeOf(error);
  }
}

function exitCodeOf(error: unknown): number {
  // Commander has said what was wrong with the usage; help and version are no errors.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.fine : EXIT.badInput;
  if (error instanceof CommandError) {
    process.stderr.write(`domb: ${printable(error.message)}\n  fix: ${printable(error.fix)}\n`);
    return error.exitCode;
  }
  const text = error instanceof Error ? error.message : String(error);
  process.stderr.write(
    [
      `domb: this is a bug of domb's own: ${printable(text.split("\n")[0] ?? "")}`,
      "  fix: please report it with the command and its input; DOMB_DEBUG=1 shows where it is.",
      "",
    ].join("\n"),
  );
  if (process.env.DOMB_DEBUG === "1" && error instanceof Error) {
    process.stderr.write(`${error.stack}\n`);
  }
  return EXIT.bug;
}
