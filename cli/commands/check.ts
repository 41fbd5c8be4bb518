// SPDX-License-Identifier: Apache-2.0
// `domb check LAUNCH`: compiles a launch and writes nothing.

import type { Command } from "commander";
import { compileFile, printJson, printText, take } from "../answer.js";
import { launchDocument, launchText } from "../describe-launch.js";

const schema = "domb.check/1";

export function registerCheck(program: Command): void {
  program
    .command("check")
    .summary("say all that is wrong with a launch, write nothing")
    .description("Compiles a launch description with its kernels and ramdisks, and writes nothing.")
    .argument("<launch>", "launch.yaml or launch.ts")
    .option("--json", "print one JSON document")
    .addHelpText("after", "\nExamples:\n  domb check launch.yaml\n  domb check launch.ts --json")
    .action(async (path: string, { json = false }: { json?: boolean }) => {
      const result = await compileFile(path);
      const launch = take(result, { schema, json });
      if (launch === undefined) return;
      const { diagnostics } = result;
      if (json) printJson(schema, { ok: true, diagnostics, ...launchDocument(launch) });
      else printText(launchText(launch));
    });
}
