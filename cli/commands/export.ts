// SPDX-License-Identifier: Apache-2.0
// `domb export sbom IMAGE`: an image in a form that other tools read.

import { basename } from "node:path";
import { type Command, Option } from "commander";
import { decodeImage } from "../../compiler/image/decode-image.js";
import { sbomOf } from "../../compiler/sbom/sbom.js";
import { printJson, printText, readBytes, take } from "../answer.js";
import { writeOutput } from "../output.js";

const schema = "domb.export/1";

interface ExportOptions {
  readonly output?: string;
  readonly json?: boolean;
}

export function registerExport(program: Command): void {
  const command = program
    .command("export")
    .summary("write what other tools read of an image")
    .description("Writes what is in an image in a form that other tools read.");
  command
    .command("sbom")
    .summary("a software bill of materials, in CycloneDX")
    .description(
      "Writes the software bill of materials of an image, in CycloneDX 1.6: domains, materials, files, with digests; versions and licences as far as the bytes tell them. What is unknown is said to be.",
    )
    .argument("<image>", "a launch image")
    .option("-o, --output <file>", "where to write it (default: standard output)")
    .addOption(new Option("--json", "print one JSON document: the bill itself, or where it is"))
    .addHelpText(
      "after",
      "\nExamples:\n  domb export sbom launch.img\n  domb export sbom launch.img -o launch.cdx.json",
    )
    .action(async (path: string, { output, json = false }: ExportOptions) => {
      const image = await readBytes(path);
      const decoded = take(decodeImage(image, { file: path }), { schema, json });
      if (decoded === undefined) return;
      const text = sbomOf(image, decoded, basename(path));
      if (output === undefined) {
        if (json) printJson(schema, { ok: true, sbom: JSON.parse(text) });
        else printText(text);
        return;
      }
      await writeOutput(output, Buffer.from(text), [path]);
      if (json) printJson(schema, { ok: true, output });
      else printText(`${output} is written`);
    });
}
