// SPDX-License-Identifier: Apache-2.0
// `domb build LAUNCH`: compiles a launch and writes its image.

import { dirname, join } from "node:path";
import type { Command } from "commander";
import { writeImage } from "../../compiler/image/write-image.js";
import { CommandError, compileFile, EXIT, printJson, printText, take } from "../answer.js";
import { digestOf, launchDocument, launchText } from "../describe-launch.js";

const schema = "domb.build/1";

export function registerBuild(program: Command): void {
  program
    .command("build")
    .summary("compile a launch to an image")
    .description("Compiles a launch description to a launch image: the boot domain's ramdisk.")
    .argument("<launch>", "launch.yaml or launch.ts")
    .option(
      "-o, --output <image>",
      "where to write it (default: launch.img beside the description)",
    )
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      "\nExamples:\n  domb build launch.yaml\n  domb build launch.yaml -o /boot/launch.img",
    )
    .action(async (path: string, options: { output?: string; json?: boolean }) => {
      const { json = false, output = join(dirname(path), "launch.img") } = options;
      const result = await compileFile(path);
      const launch = take(result, { schema, json });
      if (launch === undefined) return;
      await write(output, launch.image);
      const { diagnostics } = result;
      if (json) printJson(schema, { ok: true, diagnostics, output, ...launchDocument(launch) });
      else
        printText(`${launchText(launch)}${output} is written: SHA-256 ${digestOf(launch.image)}`);
    });
}

async function write(path: string, image: Uint8Array): Promise<void> {
  try {
    await writeImage(path, image);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    const fix = "Give a place that this user may write to with --output.";
    throw new CommandError(EXIT.badInput, `${path} can't be written (${code})`, fix);
  }
}
