// SPDX-License-Identifier: Apache-2.0
// The code of an object file, function by function, and its data, in words that stay the same when
// the source has only moved: places are relative to symbols, and line numbers are masked.

import { readFile } from "node:fs/promises";
import { execa } from "execa";
import { type ElfObject, isElf64, readElfObject, withoutNumber } from "./elf-object.js";

/** Code by function, an instruction a line; data, and code in no function, by section. */
export type ObjectContent = ReadonlyMap<string, string>;

interface Relocation {
  readonly address: number;
  readonly type: string;
  readonly name: string;
  readonly addend: number;
}

interface Instruction {
  readonly text: string;
  readonly relocations: Relocation[];
}

/** Masks what __LINE__ was: an immediate that is the number of the line it comes from. */
function withoutLine(text: string, line: string): string {
  const match = /^(mov\w* +\$)0x([0-9a-f]+)(,.*)$/.exec(text);
  if (match === null || Number.parseInt(match[2] ?? "", 16) !== Number(line)) return text;
  return `${match[1]}LINE${match[3]}`;
}

function readRelocation(text: string): Relocation {
  const match = /^([0-9a-f]+): (R_\w+)\s+(.+?)(?:([-+])0x([0-9a-f]+))?$/.exec(text);
  if (match === null) throw new Error(`not a relocation: ${text}`);
  const [, address = "", type = "", name = "", sign = "+", digits = "0"] = match;
  return {
    address: Number.parseInt(address, 16),
    type,
    name,
    addend: Number.parseInt(`${sign}${digits}`, 16),
  };
}

/** Words of an instruction that ends at the address `end` of its section. */
function wordsOf({ text, relocations }: Instruction, end: number, object: ElfObject): string {
  const local =
    /(?:(?<branch>[0-9a-f]+)|-?0x[0-9a-f]+(?<memory>\(%rip\).*?) +# [0-9a-f]+) <(?<symbol>[^>+]+)(?:\+0x(?<offset>[0-9a-f]+))?>/;
  const targets = relocations.map(({ address, type, name, addend }) =>
    // Relative to the end of the instruction, not to the field.
    object.place(name, /PC32|PLT32/.test(type) ? addend + end - address : addend),
  );
  const operation = text.replace(local, (_, branch, memory, symbol, offset) => {
    if (targets.length === 0) {
      targets.push(`${withoutNumber(symbol)}+${Number.parseInt(offset ?? "0", 16)}`);
    }
    return branch === undefined ? `0x0${memory}` : "";
  });
  return `${operation.replaceAll(/ +/g, " ").trim()} ${targets.join(" ")}`.trim();
}

/** Reads what objdump prints of an object's code. */
function parseCode(listing: string, object: ElfObject): ObjectContent {
  const code = new Map<string, string[]>();
  let words: string[] = [];
  let section = "";
  let line = "";
  let last: Instruction | undefined;
  const finish = (end: number): void => {
    if (last !== undefined) words.push(wordsOf(last, end, object));
    last = undefined;
  };
  for (const row of listing.split("\n")) {
    const instruction = /^ +([0-9a-f]+):\t(.+)$/.exec(row);
    const title = /^Disassembly of section (.+):$/.exec(row);
    const label = /^([0-9a-f]+) <(.+)>:$/.exec(row);
    if (instruction !== null) {
      const [text = "", ...relocations] = (instruction[2] ?? "").split(/\t(?=[0-9a-f]+: R_)/);
      finish(Number.parseInt(instruction[1] ?? "", 16));
      last = {
        text: withoutLine(text.trim(), line),
        relocations: relocations.map((one) => readRelocation(one.trim())),
      };
    } else if (title !== null) {
      finish(object.sizeOf(section));
      section = title[1] ?? "";
    } else if (label !== null) {
      finish(Number.parseInt(label[1] ?? "", 16));
      const name = withoutNumber(label[2] ?? "");
      words = code.get(name) ?? [];
      code.set(name, words);
    } else {
      line = /:(\d+)(?: \(discriminator \d+\))?$/.exec(row)?.[1] ?? line;
    }
  }
  finish(object.sizeOf(section));
  return new Map([...code].map(([name, lines]) => [name, lines.join("\n")]));
}

/** The content of an object file; one that is not for x86-64, as boot code is not, is all bytes. */
export async function contentOf(path: string): Promise<ObjectContent> {
  const file = await readFile(path);
  if (!isElf64(file)) return new Map([["the file", file.toString("hex")]]);
  const options = ["-d", "-r", "-l", "-w", "--no-show-raw-insn", path];
  const { stdout } = await execa("objdump", options, { maxBuffer: 1 << 30 });
  const object = readElfObject(file);
  return new Map([...object.data, ...parseCode(stdout, object)]);
}

/** Names of the functions and sections that differ, or that only one of the objects has. */
export function differingNames(before: ObjectContent, after: ObjectContent): readonly string[] {
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].filter((name) => before.get(name) !== after.get(name)).sort();
}
