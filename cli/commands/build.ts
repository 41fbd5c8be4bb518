// SPDX-License-Identifier: Apache-2.0
// `domb build LAUNCH`: compiles a launch and writes its image.

import { dirname, join } from "node:path";
import type { Command } from "commander";
import type { LaunchDescription } from "../../compiler/description/description.js";
import type { XenVersion } from "../../compiler/image/xen-versions.js";
import { messageOf, plansOf } from "../../compiler/signature/sign-image.js";
import { SIGNATURE_CONTEXT } from "../../contract/trust.js";
import {
  CommandError,
  compileFile,
  type DescribedLaunch,
  printJson,
  printText,
  take,
  xenOption,
} from "../answer.js";
import { digestOf, launchDocument, launchText } from "../describe-launch.js";
import { parseVersion, readSecretKey, takeSigned } from "../keys.js";
import { writeOutput } from "../output.js";

const schema = "domb.build/1";

interface BuildOptions {
  readonly output?: string;
  readonly key?: string;
  readonly digestOnly?: boolean;
  readonly launchVersion?: number;
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
    .option("--key <file>", "sign it with this secret key")
    .option("--digest-only", "write beside it what another signer must sign")
    .option("--launch-version <number>", "its version, against old launches", parseVersion, 1)
    .addOption(xenOption("the Xen that the launch is for (default: 4.17)"))
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      [
        "\nExamples:",
        "  domb build launch.yaml",
        "  domb build launch.yaml --key owner.key --launch-version 2",
        "  domb build launch.yaml -o /boot/launch.img --digest-only",
      ].join("\n"),
    )
    .action(build);
}

async function build(path: string, options: BuildOptions): Promise<void> {
  const { json = false, output = join(dirname(path), "launch.img"), launchVersion } = options;
  const { key, digestOnly = false, xen } = options;
  const answer = { schema, json };
  if (key !== undefined && digestOnly) {
    const fix = "Leave out one of them.";
    throw new CommandError("DOMB6001", "--key signs here, --digest-only elsewhere", fix);
  }
  const secret = key === undefined ? undefined : take(await readSecretKey(key), answer);
  if (key !== undefined && secret === undefined) return;
  const verify = secret !== undefined || digestOnly ? "all" : undefined;
  const result = await compileFile(path, { xen, launchVersion, verify });
  const launch = take(result, answer);
  if (launch === undefined) return;
  if (verify === "all" && launch.verify === "none") {
    const fix = "Write `verify: all` into the description, or build it without a key.";
    throw new CommandError("DOMB6001", `${path} says that nothing is verified`, fix);
  }
  const image =
    key === undefined || secret === undefined
      ? launch.image
      : takeSigned(launch.image, secret, key, answer);
  if (image === undefined) return;
  await writeOutput(output, image, [...sourcesOf(launch.description), ...(key ? [key] : [])]);
  const messages = digestOnly ? await writeMessages(output, image) : [];
  const { diagnostics } = result;
  const signed = secret !== undefined;
  const built: DescribedLaunch = { ...launch, image };
  if (json) {
    printJson(schema, {
      ok: true,
      diagnostics,
      output,
      signed,
      messages,
      ...launchDocument(built),
    });
    return;
  }
  printText(
    [
      `${launchText(built)}${output} is written: SHA-256 ${digestOf(image)}`,
      ...(signed ? ["It is signed."] : []),
      ...messages.map((message) => `${message} is what must be signed of it`),
      ...(digestOnly ? [`by SLH-DSA-SHA2-128s, pure, context "${SIGNATURE_CONTEXT}"`] : []),
    ].join("\n"),
  );
}

/** Writes what must be signed of each plan; gives the paths. */
async function writeMessages(output: string, image: Uint8Array): Promise<readonly string[]> {
  const written: string[] = [];
  for (const plan of plansOf(image)) {
    const path = `${output}${plan === "recovery" ? ".recovery" : ""}.tosign`;
    await writeOutput(path, messageOf(image, plan));
    written.push(path);
  }
  return written;
}

/** The files that a launch is made of. */
function sourcesOf({ source, domains, policy }: LaunchDescription): readonly string[] {
  const files = domains.flatMap(({ kernel, ramdisk }) => [kernel, ramdisk ?? kernel]);
  return [source, ...files, ...(policy === undefined ? [] : [policy])];
}
