// SPDX-License-Identifier: Apache-2.0
// The code of an object file, function by function, and its data, in words that stay the same when
// the source has only moved: places are relative to symbols, and line numbers are masked.

import { readFile } from "node:fs/promises";
import { execa } from "execa";
import type { Architecture } from "../../setup/paths.js";
import { type ElfObject, objectArchitecture, readElfObject, withoutNumber } from "./elf-object.js";

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

const disassemblers: Readonly<Record<Architecture, string>> = {
  x86_64: "objdump",
  arm64: "aarch64-linux-gnu-objdump",
};

/** Masks what __LINE__ was: an immediate that is the number of the line it comes from. */
function withoutLine(text: string, line: string): string {
  const match = /^(mov\w*\s+(?:\w+, #|\$))0x([0-9a-f]+)(,.*|)$/.exec(text);
  if (match === null || Number.parseInt(match[2] ?? "", 16) !== Number(line)) return text;
  return `${match[1]}LINE${match[3]}`;
}

/** Without what objdump adds to arm64's instructions: an immediate as decimal, another mnemonic. */
function withoutComment(text: string): string {
  return text.replace(/\s+\/\/ .*$/, "");
}

/** Without what is between a function and the next one: on arm64 it depends on the address. */
function withoutPadding(lines: readonly string[]): readonly string[] {
  const last = lines.findLastIndex((line) => !/^(nop|udf #0)$/.test(line));
  return lines.slice(0, last + 1);
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
  const targets = relocations.map(({ address, type, name, addend }) => {
    // On x86-64 relative to the end of the instruction, not to the field.
    if (/PC32|PLT32/.test(type)) return object.place(name, addend + end - address);
    const place = object.place(name, addend);
    // A call within the file has a relocation only if others may call the function too.
    return /CALL26|JUMP26/.test(type) ? place : `${type} ${place}`;
  });
  const operation = text.replace(local, (_, branch, memory, symbol, offset) => {
    if (targets.length === 0) {
      targets.push(`${withoutNumber(symbol)}+${Number.parseInt(offset ?? "0", 16)}`);
    }
    return branch === undefined ? `0x0${memory}` : "";
  });
  return `${operation.replaceAll(/\s+/g, " ").trim()} ${targets.join(" ")}`.trim();
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
        text: withoutLine(withoutComment(text.trim()), line),
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
  return new Map([...code].map(([name, lines]) => [name, withoutPadding(lines).join("\n")]));
}

/** The content of an object file; one that is not ELF64, as x86's boot code is not, is all bytes. */
export async function contentOf(path: string): Promise<ObjectContent> {
  const file = await readFile(path);
  const architecture = objectArchitecture(file);
  if (architecture === undefined) return new Map([["the file", file.toString("hex")]]);
  const options = ["-d", "-z", "-r", "-l", "-w", "--no-show-raw-insn", path];
  const { stdout } = await execa(disassemblers[architecture], options, { maxBuffer: 1 << 30 });
  const object = readElfObject(file);
  return new Map([...object.data, ...parseCode(stdout, object)]);
}

/** Names of the functions and sections that differ, or that only one of the objects has. */
export function differingNames(before: ObjectContent, after: ObjectContent): readonly string[] {
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].filter((name) => before.get(name) !== after.get(name)).sort();
}
