// SPDX-License-Identifier: Apache-2.0
// `domb update IMAGE`: replaces kernel, ramdisk or command line of one domain in an image.

import { type Command, InvalidArgumentError } from "commander";
import { commandLineFault } from "../../compiler/description/judges.js";
import { decodeImage } from "../../compiler/image/decode-image.js";
import type { MaterialFile } from "../../compiler/materials/material-file.js";
import { updateImage } from "../../compiler/update/update-image.js";
import { CommandError, printJson, printText, readBytes, take } from "../answer.js";
import { digestOf } from "../describe-launch.js";
import { parseVersion, readSecretKey, takeSigned } from "../keys.js";
import { writeOutput } from "../output.js";

const schema = "domb.update/1";

interface UpdateOptions {
  readonly domain: string;
  readonly kernel?: string;
  readonly ramdisk?: string;
  readonly cmdline?: string;
  readonly launchVersion?: number;
  readonly key?: string;
  readonly output?: string;
  readonly json?: boolean;
}

function parseCommandLine(text: string): string {
  const fault = commandLineFault(text);
  if (fault !== undefined) throw new InvalidArgumentError(`It ${fault.predicate}. ${fault.fix}`);
  return text;
}

export function registerUpdate(program: Command): void {
  program
    .command("update")
    .summary("replace a domain's kernel, ramdisk or command line")
    .description(
      "Replaces kernel, ramdisk or command line of one domain of an image. What belongs to other domains stays as it is, bit for bit; the changed plan is signed again, or is ready to be.",
    )
    .argument("<image>", "a launch image")
    .requiredOption("--domain <name>", "the domain")
    .option("--kernel <file>", "its new kernel")
    .option("--ramdisk <file>", "its new ramdisk")
    .option("--cmdline <text>", "its new command line", parseCommandLine)
    .option(
      "--launch-version <number>",
      "version of the new launch (default: one more)",
      parseVersion,
    )
    .option("--key <file>", "sign it with this secret key")
    .option("-o, --output <image>", "where to write it (default: in place of the image)")
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      "\nExamples:\n  domb update launch.img --domain web --kernel vmlinuz-new\n  domb update launch.img --domain web --ramdisk initrd.gz --key owner.key -o next.img",
    )
    .action(update);
}

async function update(path: string, options: UpdateOptions): Promise<void> {
  const { domain, cmdline, output = path, json = false, launchVersion } = options;
  const answer = { schema, json };
  const file = async (name: string | undefined): Promise<MaterialFile | undefined> =>
    name === undefined
      ? undefined
      : { path: name, bytes: await readBytes(name), place: { file: name } };
  const [kernel, ramdisk] = [await file(options.kernel), await file(options.ramdisk)];
  if (kernel === undefined && ramdisk === undefined && cmdline === undefined) {
    const fix = "Give --kernel, --ramdisk or --cmdline.";
    throw new CommandError("DOMB6001", "nothing is to be replaced", fix);
  }
  const secret =
    options.key === undefined ? undefined : take(await readSecretKey(options.key), answer);
  if (options.key !== undefined && secret === undefined) return;
  const image = await readBytes(path);
  const place = { file: path };
  const decoded = take(decodeImage(image, place), answer);
  if (decoded === undefined) return;
  const change = { domain, kernel, ramdisk, cmdline };
  const updated = take(await updateImage(image, decoded, change, { place, launchVersion }), answer);
  if (updated === undefined) return;
  const { changed } = updated;
  const written =
    secret === undefined
      ? updated.image
      : takeSigned(updated.image, secret, options.key ?? "", answer, changed);
  if (written === undefined) return;
  const sources = [options.kernel, options.ramdisk, options.key];
  await writeOutput(
    output,
    written,
    sources.filter((source) => source !== undefined),
  );
  const signed = secret !== undefined;
  if (json) {
    const document = { output, imageDigest: digestOf(written), signed };
    printJson(schema, {
      ok: true,
      ...document,
      ...{ changed, launchVersion: updated.launchVersion },
    });
    return;
  }
  printText(
    [
      `${output} is written: SHA-256 ${digestOf(written)}, launch version ${updated.launchVersion}`,
      ...changed.map((plan) =>
        signed
          ? `the ${plan} plan is signed`
          : `the ${plan} plan is NOT SIGNED: domb sign ${output}`,
      ),
    ].join("\n"),
  );
}
