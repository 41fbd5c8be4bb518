// SPDX-License-Identifier: Apache-2.0
// `domb import`: turns another system's set-up into a launch description, and says of each key of
// it what became of it.

import { dirname, isAbsolute, relative, resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { decodeDeviceTree } from "../../compiler/device-tree/decode.js";
import { encodeDeviceTree } from "../../compiler/device-tree/encode.js";
import type { Result } from "../../compiler/diagnostics/diagnostic.js";
import { boardOf } from "../../compiler/importers/board.js";
import { importDeviceTree } from "../../compiler/importers/device-tree.js";
import { importImageBuilder } from "../../compiler/importers/image-builder.js";
import type { Import } from "../../compiler/importers/report.js";
import { printJson, printText, readBytes, take } from "../answer.js";
import { writeOutput } from "../output.js";
import { plainTable } from "../plain-table.js";
import { printable } from "../render-diagnostics.js";

const schema = "domb.import/1";

interface ImportOptions {
  readonly output?: string;
  readonly board?: string;
  readonly material?: ReadonlyMap<bigint, string>;
  readonly directory?: string;
  readonly json?: boolean;
}

export function registerImport(program: Command): void {
  const command = program
    .command("import")
    .summary("turn a dom0less or ImageBuilder set-up into a launch description")
    .description(
      "Turns another system's set-up into a launch description for arm64, and says of each of its keys what became of it: kept, changed, or dropped and why.",
    );
  command
    .command("devicetree")
    .summary("a device tree by which Xen starts domains (dom0less)")
    .description(
      "Imports the domains below /chosen of a flattened device tree. The tree has addresses in place of files; without --material for each, the description says where one is to be filled in.",
    )
    .argument("<tree>", "the device tree with its domains, as of `dtc -O dtb`")
    .option("-o, --output <file>", "where to write it (default: standard output)")
    .option("--board <file>", "write the device tree without the domains there, for `host.board`")
    .option(
      "--material <address=file>",
      "the file that is loaded at an address; may be repeated",
      addMaterial,
    )
    .addOption(new Option("--json", "print one JSON document"))
    .addHelpText(
      "after",
      "\nExample:\n  domb import devicetree host.dtb --material 0x50000000=./Image -o launch.yaml --board board.dtb",
    )
    .action(importTree);
  command
    .command("imagebuilder")
    .summary("a configuration of ImageBuilder's uboot-script-gen")
    .description(
      "Imports the domains of an ImageBuilder configuration. It is read as assignments of plain text; nothing in it is run.",
    )
    .argument("<config>", "the configuration")
    .option("-o, --output <file>", "where to write it (default: standard output)")
    .option(
      "--directory <folder>",
      "the folder that its paths are relative to (default: the configuration's)",
    )
    .addOption(new Option("--json", "print one JSON document"))
    .addHelpText(
      "after",
      "\nExample:\n  domb import imagebuilder config --directory /srv/tftp -o launch.yaml",
    )
    .action(importConfiguration);
}

async function importTree(path: string, options: ImportOptions): Promise<void> {
  const { output, board, json = false } = options;
  const bytes = await readBytes(path);
  const tree = take(decodeDeviceTree(bytes, { place: { file: path }, name: path }), {
    schema,
    json,
  });
  if (tree === undefined) return;
  const fromHere = (file: string) => nameFor(file, ".", output);
  const materials = new Map(
    [...(options.material ?? [])].map(([address, file]) => [address, fromHere(file)]),
  );
  const result = importDeviceTree(tree, { file: path, board: fromHere(board ?? path), materials });
  if (result.ok && board !== undefined) {
    await writeOutput(board, encodeDeviceTree(boardOf(tree)), [path]);
  }
  await answer(result, options, path);
}

async function importConfiguration(path: string, options: ImportOptions): Promise<void> {
  const directory = options.directory ?? dirname(path);
  const result = importImageBuilder(await readBytes(path), {
    file: path,
    nameOf: (file) => nameFor(file, directory, options.output),
  });
  await answer(result, options, path);
}

async function answer(result: Result<Import>, options: ImportOptions, path: string): Promise<void> {
  const { output, board, json = false } = options;
  // The report comes first: warnings of many keys would push it out of sight.
  if (!json && result.ok) process.stderr.write(reportText(result.value));
  const imported = take(result, { schema, json });
  if (imported === undefined) return;
  const { description, keys, xenOptions, unknownFiles } = imported;
  if (output !== undefined) await writeOutput(output, Buffer.from(description), [path]);
  if (json) {
    const { diagnostics } = result;
    printJson(schema, {
      ...{ ok: true, diagnostics, output: output ?? null, board: board ?? null, description },
      ...{ keys, xenOptions: xenOptions ?? null, unknownFiles },
    });
    return;
  }
  printText(output === undefined ? description : `${output} is written`);
  if (board !== undefined) process.stderr.write(`${printable(board)} is written\n`);
}

/** What became of each key, and what a description has no place for. */
function reportText({ keys, xenOptions }: Import): string {
  const rows = keys.map(({ where, key, value, treatment, because }) =>
    [where, key, value, treatment, because].map(printable),
  );
  return [
    plainTable(["where", "key", "value", "is", "as, or because"], rows),
    "",
    ...(xenOptions === undefined
      ? []
      : [`Xen was given, and needs still: ${printable(xenOptions)}`, ""]),
    "",
  ].join("\n");
}

/** A file as a description in `output` names it; `base` is what it is relative to now. */
function nameFor(file: string, base: string, output: string | undefined): string {
  if (file === "" || isAbsolute(file)) return file;
  const name = relative(dirname(output ?? "launch.yaml"), resolve(base, file));
  return name.startsWith("../") ? name : `./${name}`;
}

function addMaterial(
  value: string,
  earlier: ReadonlyMap<bigint, string> = new Map(),
): ReadonlyMap<bigint, string> {
  const [, address, file] = /^(0x[0-9a-fA-F]{1,16}|[0-9]{1,20})=(.+)$/s.exec(value) ?? [];
  if (address === undefined || file === undefined) {
    throw new InvalidArgumentError("Give an address and a file, as in 0x50000000=./Image.");
  }
  if (earlier.has(BigInt(address))) {
    throw new InvalidArgumentError(`Two files are given for the address ${address}.`);
  }
  return new Map([...earlier, [BigInt(address), file]]);
}
