// SPDX-License-Identifier: Apache-2.0
// The `domb` command: its table of contents, and how it ends when something is in the way.

import { Command, CommanderError } from "commander";
import { CommandError, EXIT, printJson } from "./answer.js";
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
    .exitOverride()
    // runProgram says it, as JSON where that is asked for.
    .configureOutput({ outputError: () => {} });
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
  const program = makeProgram();
  try {
    await program.parseAsync([...words], { from: "user" });
  } catch (error) {
    const { exitCode, message, fix } = troubleOf(error);
    process.exitCode = exitCode;
    if (message === undefined) return;
    if (words.includes("--json")) {
      const command = program.commands.find((known) => known.name() === words[0])?.name();
      printJson(command === undefined ? "domb/1" : `domb.${command}/1`, {
        ok: false,
        message,
        fix,
      });
    } else {
      process.stderr.write(`domb: ${printable(message)}\n  fix: ${printable(fix)}\n`);
    }
    if (exitCode === EXIT.bug && process.env.DOMB_DEBUG === "1" && error instanceof Error) {
      process.stderr.write(`${error.stack}\n`);
    }
  }
}

interface Trouble {
  readonly exitCode: number;
  /** Undefined: nothing is left to say. */
  readonly message?: string;
  readonly fix: string;
}

function troubleOf(error: unknown): Trouble {
  if (error instanceof CommandError) return error;
  if (error instanceof CommanderError) {
    const fix = "Run it with --help for what it takes.";
    if (error.exitCode === 0) return { exitCode: EXIT.fine, fix };
    // Without a command the help has been shown.
    if (error.code === "commander.help") return { exitCode: EXIT.badInput, fix };
    const message = error.message.replace(/^error: /, "").replaceAll(/\s*\n\s*/g, " ");
    return { exitCode: EXIT.badInput, message, fix };
  }
  const text = error instanceof Error ? error.message : String(error);
  return {
    exitCode: EXIT.bug,
    message: `this is a bug of domb's own: ${text.split("\n")[0]}`,
    fix: "Please report it with the command and its input; DOMB_DEBUG=1 shows where it is.",
  };
}
