// SPDX-License-Identifier: Apache-2.0
// Writes the pages of docs/ that come from the sources: `npm run docs`.

import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { paths } from "../setup/paths.js";
import { architecturesPage } from "./generate-architectures.js";
import { diagnosticsPage } from "./generate-diagnostics.js";
import { failuresPage } from "./generate-failures.js";
import { formatsPage, importsPage } from "./generate-formats.js";
import { hostilePage } from "./generate-hostile.js";
import { importingPage } from "./generate-importing.js";
import { requirementsPage } from "./generate-requirements.js";
import { unchangedPage } from "./generate-unchanged.js";
import { xenVersionsPage } from "./generate-xen-versions.js";

/** Name and text of every generated page. */
export async function generatedPages(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ["architectures.md", await architecturesPage()],
    ["diagnostics.md", diagnosticsPage()],
    ["formats.md", await formatsPage()],
    ["hostile-boot-domain.md", hostilePage()],
    ["hypercall-failures.md", failuresPage()],
    ["importing.md", importingPage()],
    ["requirements.md", await requirementsPage()],
    ["unchanged-when-off.md", unchangedPage()],
    ["wasm-imports.md", await importsPage()],
    ["xen-versions.md", await xenVersionsPage()],
  ]);
}

async function main(): Promise<void> {
  for (const [name, text] of await generatedPages()) {
    const path = join(paths.checkout, "docs", name);
    if (text === (await readFile(path, "utf8").catch(() => ""))) continue;
    await writeFile(`${path}.new`, text);
    await rename(`${path}.new`, path);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await main();
