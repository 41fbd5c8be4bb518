// SPDX-License-Identifier: Apache-2.0
// `domb explain IMAGE|LAUNCH`: what is in a launch image, or in the one that a description makes.

import type { Command } from "commander";
import { decodeImage, explainImage, explanationOf } from "../../compiler/explain/explain.js";
import { compileFile, isNamedAsDescription, printText, readBytes, take } from "../answer.js";

const schema = "domb.explain/1";

export function registerExplain(program: Command): void {
  program
    .command("explain")
    .summary("show what is in an image")
    .description("Reads a launch image back: its domains, their memory, steps and operations.")
    .argument("<image>", "a launch image, launch.yaml or launch.ts")
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      "\nExamples:\n  domb explain launch.img\n  domb explain launch.yaml --json",
    )
    .action(async (path: string, { json = false }: { json?: boolean }) => {
      const bytes = isNamedAsDescription(path)
        ? take(await compileFile(path), { schema, json })?.image
        : await readBytes(path);
      if (bytes === undefined) return;
      const image = take(decodeImage(bytes, { file: path }), { schema, json });
      if (image === undefined) return;
      printText(json ? JSON.stringify(explanationOf(image), null, 2) : explainImage(image));
    });
}
