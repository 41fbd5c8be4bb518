// SPDX-License-Identifier: Apache-2.0
// Builds the boot domain's wasm with coverage recorded: instrumented copies of its sources in
// build/coverage/, compiled with the very options of the boot domain.

import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { execa } from "execa";
import { ascOptions } from "../../bootdomain/build.js";
import { paths } from "../../setup/paths.js";
import { type Decision, instrument, type Point } from "./instrument.js";

export interface Covered {
  readonly wasm: WebAssembly.Module;
  readonly points: readonly Point[];
  readonly decisions: readonly Decision[];
}

/** What the instrumented sources call: the imports of the wasm module `coverage`. */
const recorder = `
// @ts-ignore: decorator
@external("coverage", "statement")
export declare function __statement(id: u32): void;
// @ts-ignore: decorator
@external("coverage", "condition")
declare function record(id: u32, value: bool): void;
export function __condition(id: u32, value: bool): bool {
  record(id, value);
  return value;
}
`;

/** Builds it anew. */
export async function buildCovered(): Promise<Covered> {
  await mkdir(paths.build, { recursive: true });
  const folder = await mkdtemp(join(paths.build, "coverage."));
  try {
    const { points, decisions } = await writeSources(folder);
    const wasm = join(folder, "domb.wasm");
    const index = join(folder, "bootdomain", "assembly", "index.ts");
    const fromCheckout = (path: string): string => relative(paths.checkout, path);
    await execa("asc", [fromCheckout(index), ...ascOptions, "-o", fromCheckout(wasm)], {
      cwd: paths.checkout,
      preferLocal: true,
    });
    const compiled = await WebAssembly.compile(new Uint8Array(await readFile(wasm)));
    const built = join(paths.build, "coverage");
    await rm(built, { recursive: true, force: true });
    // If another run has put its own copy there meanwhile, that is as good.
    await rename(folder, built).catch(() => rm(folder, { recursive: true, force: true }));
    return { wasm: compiled, points, decisions };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function writeSources(folder: string): Promise<Omit<Covered, "wasm">> {
  await cp(join(paths.checkout, "contract"), join(folder, "contract"), { recursive: true });
  const assembly = join("bootdomain", "assembly");
  await mkdir(join(folder, assembly), { recursive: true });
  const points: Point[] = [];
  const decisions: Decision[] = [];
  const files = await readdir(join(paths.checkout, assembly));
  for (const file of files.filter((name) => name.endsWith(".ts")).sort()) {
    const source = await readFile(join(paths.checkout, assembly, file), "utf8");
    const instrumented = instrument(source, file, points.length);
    points.push(...instrumented.points);
    decisions.push(...instrumented.decisions);
    await writeFile(join(folder, assembly, file), instrumented.text);
  }
  await writeFile(join(folder, assembly, "coverage.ts"), recorder);
  return { points, decisions };
}
