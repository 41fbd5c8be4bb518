// SPDX-License-Identifier: Apache-2.0
// `domb diff A B`: what changed from one image to another, for whom, privileges first.

import type { Command } from "commander";
import { type Change, diffImages, type ImageDiff } from "../../compiler/diff/diff-images.js";
import { decodeImage } from "../../compiler/image/decode-image.js";
import type { Privilege } from "../../compiler/privileges/privileges.js";
import {
  compileFile,
  isNamedAsDescription,
  printJson,
  printText,
  readBytes,
  take,
} from "../answer.js";
import { printable } from "../render-diagnostics.js";

const schema = "domb.diff/1";

export function registerDiff(program: Command): void {
  program
    .command("diff")
    .summary("compare two images")
    .description(
      "Says what changed from one launch to another, for whom: privileges first, then the image, then each domain.",
    )
    .argument("<from>", "a launch image, or a description")
    .argument("<to>", "another")
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      "\nExamples:\n  domb diff running.img next.img\n  domb diff launch.img launch.yaml --json",
    )
    .action(async (from: string, to: string, { json = false }: { json?: boolean }) => {
      const answer = { schema, json };
      const before = await readImage(from, answer);
      const after = before && (await readImage(to, answer));
      if (before === undefined || after === undefined) return;
      const diff = diffImages(before, after);
      if (json) printJson(schema, { ok: true, ...diff });
      else printText(diffText(diff));
    });
}

async function readImage(path: string, answer: { schema: string; json: boolean }) {
  const bytes = isNamedAsDescription(path)
    ? take(await compileFile(path), answer)?.image
    : await readBytes(path);
  return bytes === undefined ? undefined : take(decodeImage(bytes, { file: path }), answer);
}

function diffText({ privileges, image, domains }: ImageDiff): string {
  const { gained, lost } = privileges;
  const privilege = (sign: string) => (one: Privilege) =>
    `  ${sign} ${one.domain} may ${one.may} ${one.over} (${one.because})`;
  const change = ({ what, from, to }: Change): string =>
    `  ${what}: ${printable(from ?? "nothing")} → ${printable(to ?? "nothing")}`;
  const same = gained.length + lost.length + image.length + domains.length === 0;
  if (same) return "The same launch.";
  return [
    gained.length + lost.length === 0 ? "privileges: the same" : "privileges",
    ...gained.map(privilege("+")),
    ...lost.map(privilege("-")),
    image.length === 0 ? "image: the same" : "image",
    ...image.map(change),
    ...domains.flatMap(({ name, kind, changes }) => [
      `domain ${name}: ${kind}`,
      ...(kind === "removed" ? [] : changes.map(change)),
    ]),
    "",
  ].join("\n");
}
