// SPDX-License-Identifier: Apache-2.0
// Reference pages from source: formats and limits from contract/, the import table from the boot
// domain's declarations. Names, values and texts are the source's own.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import ts from "typescript";
import { paths } from "../setup/paths.js";

async function parse(file: string): Promise<ts.SourceFile> {
  const text = await readFile(join(paths.checkout, file), "utf8");
  return ts.createSourceFile(file, text, ts.ScriptTarget.ES2023, true);
}

/** The comment directly before a node, as one line. */
function commentOf(node: ts.Node): string {
  const docs = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc);
  return (ts.getTextOfJSDocComment(docs.at(-1)?.comment) ?? "").replaceAll(/\s+/g, " ");
}

function enumTable(node: ts.EnumDeclaration): string[] {
  const rows = node.members.map(
    (member) =>
      `| ${member.initializer?.getText() ?? ""} | \`${member.name.getText()}\` | ${commentOf(member)} |`,
  );
  return [
    `### ${node.name.text}`,
    "",
    commentOf(node),
    "",
    "| value | name | meaning |",
    "|---|---|---|",
    ...rows,
    "",
  ];
}

/** The constants and tables of one file of contract/. */
async function contractSection(file: string): Promise<string[]> {
  const source = await parse(join("contract", file));
  const constants: string[] = [];
  const tables: string[] = [];
  for (const statement of source.statements) {
    if (ts.isEnumDeclaration(statement)) tables.push(...enumTable(statement));
    if (!ts.isVariableStatement(statement)) continue;
    for (const declaration of statement.declarationList.declarations) {
      const value = declaration.initializer?.getText() ?? "";
      constants.push(`| \`${declaration.name.getText()}\` | ${value} | ${commentOf(statement)} |`);
    }
  }
  return [
    `## contract/${file}`,
    "",
    "| constant | value | meaning |",
    "|---|---|---|",
    ...constants,
    "",
    ...tables,
  ];
}

/** The text of docs/formats.md. */
export async function formatsPage(): Promise<string> {
  return [
    "# Formats",
    "",
    "The launch image with its plans, the launch receipt, signatures and trust, and the maxima that",
    "compiler and boot domain check alike. Generated from `contract/` by `npm run docs`. In a record's table the value",
    "is the field's offset in bytes; numbers are little-endian and 32 bits wide unless said otherwise.",
    "",
    ...(await contractSection("image.ts")),
    ...(await contractSection("receipt.ts")),
    ...(await contractSection("trust.ts")),
    ...(await contractSection("limits.ts")),
  ].join("\n");
}

/** The imports that a file of bootdomain/assembly declares, as table rows. */
export async function importRows(module: "machine" | "xen"): Promise<string[]> {
  const source = await parse(join("bootdomain", "assembly", `${module}.ts`));
  return source.statements.filter(ts.isFunctionDeclaration).map((declaration) => {
    const parameters = declaration.parameters.map((parameter) => parameter.getText()).join(", ");
    const result = declaration.type?.getText() ?? "void";
    return `| \`${module}.${declaration.name?.text}\` | \`(${parameters}): ${result}\` | ${commentOf(declaration)} |`;
  });
}

/** The text of docs/wasm-imports.md. */
export async function importsPage(): Promise<string> {
  return [
    "# The boot domain's imports",
    "",
    "All that the boot domain's wasm can do: there is no other way out of it. Generated from",
    "`bootdomain/assembly/machine.ts` and `xen.ts` by `npm run docs`; a test holds this table and the",
    "import list of the built wasm together.",
    "",
    "| import | signature | meaning |",
    "|---|---|---|",
    ...(await importRows("machine")),
    ...(await importRows("xen")),
    "",
  ].join("\n");
}
