// SPDX-License-Identifier: Apache-2.0
// How large the trusted code is: bytes as linked, and lines as written.

import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { built, objectFolder } from "../bootdomain/build.js";
import { readPatches } from "../report/host-code.js";
import { type Architecture, paths } from "../setup/paths.js";

/** A figure with its unit, as a row of a table. */
export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
}

/** Lines that hold more than white space or a comment. */
function codeLines(text: string): number {
  const withoutBlocks = text.replaceAll(/\/\*[\s\S]*?\*\//g, "");
  return withoutBlocks.split("\n").filter((line) => /\S/.test(line.replace(/^\s*\/\/.*/, "")))
    .length;
}

async function linesBelow(folder: string, ending: RegExp): Promise<number> {
  const directory = join(paths.checkout, folder);
  const files = (await readdir(directory, { recursive: true })).filter(
    (file) => ending.test(file) && !file.endsWith(".test.ts"),
  );
  const texts = await Promise.all(files.map((file) => readFile(join(directory, file), "utf8")));
  return texts.reduce((lines, text) => lines + codeLines(text), 0);
}

/** Bytes of the sections of an object or program whose names match. */
export async function sectionBytes(file: string, names: RegExp): Promise<number> {
  const { stdout } = await execa("size", ["-A", "-d", file]);
  const sections = [...stdout.matchAll(/^(\.\S+)\s+(\d+)/gm)];
  return sections
    .filter(([, name = ""]) => names.test(name))
    .reduce((bytes, [, , size]) => bytes + Number(size), 0);
}

/** Bytes of the sections that hold code. */
export function textBytes(file: string): Promise<number> {
  return sectionBytes(file, /^\.text/);
}

async function bytes(file: string): Promise<number> {
  return (await stat(file)).size;
}

/** Lines that each patch adds or takes away. */
async function patchFigures(): Promise<Figure[]> {
  const patches = await readPatches(paths.patches);
  const figures = patches.map(({ name, lines }) => {
    return { what: `patch ${name.replace(/\.patch$/, "")}`, value: lines, unit: "lines" };
  });
  const value = patches.reduce((sum, { lines }) => sum + lines, 0);
  return [...figures, { what: "patches, all", value, unit: "lines" }];
}

/** What the boot domain's kernel for an architecture is made of, as linked and as written. */
async function kernelFigures(architecture: Architecture, elf: string): Promise<Figure[]> {
  const folder = objectFolder(join(paths.build, "bootdomain"), architecture);
  const own = ["machine.o", "entry.o"].map((name) => textBytes(join(folder, name)));
  const [machine = 0, entry = 0] = await Promise.all(own);
  return [
    {
      what: `boot domain for ${architecture}, text as linked`,
      value: await textBytes(elf),
      unit: "bytes",
    },
    { what: "of it from hand-written C and assembly", value: machine + entry, unit: "bytes" },
  ];
}

/** Every size that is reported. Needs the built boot domain. */
export async function sizeFigures(): Promise<Figure[]> {
  return [
    { what: "boot domain, wasm", value: await bytes(built.wasm), unit: "bytes" },
    ...(await kernelFigures("x86_64", built.elf)),
    ...(await kernelFigures("arm64", built.arm64Elf)),
    {
      what: "C that wasm2c generates",
      value: (await readFile(built.c, "utf8")).split("\n").length,
      unit: "lines",
    },
    {
      what: "contract/, hand-written",
      value: await linesBelow("contract", /(?<!xen-abi.*)\.ts$/),
      unit: "lines of code",
    },
    {
      what: "bootdomain/assembly/",
      value: await linesBelow("bootdomain/assembly", /\.ts$/),
      unit: "lines of code",
    },
    {
      what: "bootdomain/shim/imports.c, for both",
      value: await linesBelow("bootdomain/shim", /^imports\.c$/),
      unit: "lines of code",
    },
    ...(await Promise.all(
      (["x86_64", "arm64"] as const).map(async (architecture) => ({
        what: `bootdomain/shim/${architecture}/`,
        value: await linesBelow(`bootdomain/shim/${architecture}`, /\.([cS]|lds)$/),
        unit: "lines of code",
      })),
    )),
    ...(await patchFigures()),
  ];
}
