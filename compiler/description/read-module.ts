// SPDX-License-Identifier: Apache-2.0
// A description that is a program: runs launch.ts or launch.js and takes its default export. Such a
// file is trusted as any program that one starts; launch.yaml can be read from strangers.

import { basename, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { createJiti } from "jiti";
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import { descriptionRules } from "./rules.js";

/** File names that are programs; all others are read as YAML. */
export const MODULE_NAME = /\.m?[jt]s$/;

export type ModuleReading =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly diagnostic: Diagnostic };

/** Runs the module at `file` anew, without caches, so that a changed file is seen. */
export async function readModule(file: string): Promise<ModuleReading> {
  const path = resolve(file);
  const loader = createJiti(path, {
    fsCache: false,
    moduleCache: false,
    interopDefault: false,
    // `import { defineLaunch } from "domb"` works where domb is not installed beside the file.
    alias: { domb: fileURLToPath(new URL("./define-launch", import.meta.url)) },
  });
  let loaded: unknown;
  try {
    loaded = await loader.import(path);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    // The first line says what; the rest, where there is one, quotes the source.
    const what = text.split("\n")[0]?.replaceAll(path, basename(path)) ?? "";
    const diagnostic = descriptionRules.diagnose("DOMB1009", {
      place: { file },
      message: `the module fails: ${what}`,
      fix: "Correct the program; it runs with nothing but what it imports.",
    });
    return { ok: false, diagnostic };
  }
  const value = (loaded as { readonly default?: unknown } | undefined)?.default;
  if (typeof value === "object" && value !== null) return { ok: true, value };
  const diagnostic = descriptionRules.diagnose("DOMB1010", {
    place: { file },
    message: "the module's default export is no launch description",
    fix: "Write `export default defineLaunch({ … });`.",
  });
  return { ok: false, diagnostic };
}
