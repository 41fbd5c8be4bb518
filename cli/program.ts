// SPDX-License-Identifier: Apache-2.0
// The `domb` command: its table of contents, and how it ends when something is in the way.

import { Command, CommanderError } from "commander";
import { CommandError, EXIT, printJson } from "./answer.js";
import { registerBoot } from "./commands/boot.js";
import { registerBuild } from "./commands/build.js";
import { registerCheck } from "./commands/check.js";
import { registerDiff } from "./commands/diff.js";
import { registerDoctor } from "./commands/doctor.js";
import { registerExplain } from "./commands/explain.js";
import { registerExport } from "./commands/export.js";
import { registerImport } from "./commands/import.js";
import { registerInit } from "./commands/init.js";
import { registerKeygen } from "./commands/keygen.js";
import { registerLater } from "./commands/later.js";
import { registerMedia } from "./commands/media.js";
import { registerReport } from "./commands/report.js";
import { registerSign } from "./commands/sign.js";
import { registerSimulate } from "./commands/simulate.js";
import { registerTrust } from "./commands/trust.js";
import { registerUpdate } from "./commands/update.js";
import { registerVerify } from "./commands/verify.js";
import { printable } from "./render-diagnostics.js";
import { type CommandCode, commandRules } from "./rules.js";
import { versionText } from "./version.js";

const usageFix = "Run it with --help for what it takes.";

/** The program with all its commands. */
export function makeProgram(): Command {
  const program = new Command("domb")
    .description("Launches a whole Xen host from one image, by a boot domain that then exits.")
    .version(versionText(), "-V, --version", "print versions and digests")
    .showSuggestionAfterError()
    .exitOverride()
    // A usage error is told by runProgram, which knows whether a program or a person reads it.
    .configureOutput({ outputError: () => {} });
  registerInit(program);
  registerImport(program);
  registerDoctor(program);
  registerCheck(program);
  registerBuild(program);
  registerExplain(program);
  registerSimulate(program);
  registerBoot(program);
  registerKeygen(program);
  registerSign(program);
  registerVerify(program);
  registerTrust(program);
  registerUpdate(program);
  registerDiff(program);
  registerExport(program);
  registerMedia(program);
  registerReport(program);
  registerLater(program);
  return program;
}

/** Runs the program; sets the process's exit code and never throws. */
export async function runProgram(
  words: readonly string[],
  program: Command = makeProgram(),
): Promise<void> {
  try {
    await program.parseAsync([...words], { from: "user" });
  } catch (error) {
    process.exitCode = tellError(error, failureSchema(words, program));
  }
}

/** The schema of a failure that is to be told as JSON; undefined when a person reads it. */
function failureSchema(words: readonly string[], program: Command): string | undefined {
  const options = words.slice(0, words.includes("--") ? words.indexOf("--") : undefined);
  if (!options.includes("--json")) return undefined;
  const command = program.commands.find((known) => options.includes(known.name()));
  return command === undefined ? "domb/1" : `domb.${command.name()}/1`;
}

/** Says what went wrong, and returns the exit code. */
export function tellError(error: unknown, schema?: string): number {
  if (error instanceof CommandError) {
    tell(error.code, error, schema);
    return error.exitCode;
  }
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return EXIT.fine;
    // Without a command there was nothing wrong: the help is the answer, and has been given.
    if (error.code === "commander.help") return EXIT.badInput;
    const message = error.message.replace(/^error: /, "").replace(/\s*\n\s*/g, " ");
    tell("DOMB6001", { message, fix: usageFix }, schema);
    return EXIT.badInput;
  }
  const text = error instanceof Error ? error.message : String(error);
  tell(
    "DOMB6999",
    {
      message: `this is a bug of domb's own: ${text.split("\n")[0] ?? ""}`,
      fix: "Report it to domb's maintainers with the command and its input; DOMB_DEBUG=1 shows where it is.",
    },
    schema,
  );
  if (process.env.DOMB_DEBUG === "1" && error instanceof Error) {
    process.stderr.write(`${error.stack}\n`);
  }
  return EXIT.bug;
}

function tell(
  code: CommandCode,
  { message, fix }: { readonly message: string; readonly fix: string },
  schema: string | undefined,
): void {
  if (schema !== undefined) {
    const diagnostics = [commandRules.diagnose(code, { place: {}, message, fix })];
    printJson(schema, { ok: false, diagnostics });
    return;
  }
  process.stderr.write(`domb: ${printable(message)}\n  fix: ${printable(fix)}\n`);
}
