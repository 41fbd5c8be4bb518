// SPDX-License-Identifier: Apache-2.0
// `domb build LAUNCH`: compiles a launch and writes its image.

import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Command } from "commander";
import type { LaunchDescription } from "../../compiler/description/description.js";
import { writeImage } from "../../compiler/image/write-image.js";
import type { XenVersion } from "../../compiler/image/xen-versions.js";
import {
  CommandError,
  compileFile,
  EXIT,
  printJson,
  printText,
  take,
  xenOption,
} from "../answer.js";
import { digestOf, launchDocument, launchText } from "../describe-launch.js";

const schema = "domb.build/1";

interface BuildOptions {
  readonly output?: string;
  readonly xen?: XenVersion;
  readonly json?: boolean;
}

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
    .addOption(xenOption("the Xen that the launch is for (default: 4.17)"))
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      "\nExamples:\n  domb build launch.yaml\n  domb build launch.yaml -o /boot/launch.img",
    )
    .action(async (path: string, options: BuildOptions) => {
      const { json = false, output = join(dirname(path), "launch.img") } = options;
      const result = await compileFile(path, { xen: options.xen });
      const launch = take(result, { schema, json });
      if (launch === undefined) return;
      await write(output, launch.image, launch.description);
      const { diagnostics } = result;
      if (json) printJson(schema, { ok: true, diagnostics, output, ...launchDocument(launch) });
      else
        printText(`${launchText(launch)}${output} is written: SHA-256 ${digestOf(launch.image)}`);
    });
}

/** Writes or replaces the image; an interrupt meanwhile waits, so that no part of one is left. */
async function write(path: string, image: Uint8Array, launch: LaunchDescription): Promise<void> {
  await refuseToReplace(path, launch);
  const onInterrupt = (): void => {
    process.exitCode = EXIT.interrupted;
  };
  process.on("SIGINT", onInterrupt).on("SIGTERM", onInterrupt);
  try {
    await writeImage(path, image);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw unwritable(path, code);
  } finally {
    process.off("SIGINT", onInterrupt).off("SIGTERM", onInterrupt);
  }
}

/** A device, or a file that the launch is made of, must not become the image. */
async function refuseToReplace(path: string, launch: LaunchDescription): Promise<void> {
  const there = await stat(path).catch(() => undefined);
  if (there === undefined) return;
  if (!there.isFile()) throw unwritable(path, "it is no plain file");
  const files = launch.domains.flatMap(({ kernel, ramdisk }) => [kernel, ramdisk ?? kernel]);
  const policy = launch.policy === undefined ? [] : [launch.policy];
  for (const file of new Set([launch.source, ...policy, ...files])) {
    const source = await stat(file).catch(() => undefined);
    if (source?.dev === there.dev && source.ino === there.ino) {
      throw unwritable(path, "the launch is made of it");
    }
  }
}

function unwritable(path: string, reason: string): CommandError {
  const fix = "Give a place that this user may write to with --output.";
  return new CommandError("DOMB6003", `${path} can't be written (${reason})`, fix);
}
