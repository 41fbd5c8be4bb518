// SPDX-License-Identifier: Apache-2.0
// What lies at a place in an ELF64 object file, in words that stay the same when something before
// it comes or goes: a symbol and an offset, or the string that is there.

import type { Architecture } from "../../setup/paths.js";

interface Section {
  readonly name: string;
  readonly type: number;
  readonly flags: bigint;
  /** Another section that this one's content refers to, and one that it is about. */
  readonly link: number;
  readonly about: number;
  readonly entryBytes: number;
  readonly bytes: Buffer;
  /** Those that lie in the section, in order. */
  readonly symbols: Symbol[];
}

interface Symbol {
  readonly name: string;
  readonly section: number;
  readonly offset: number;
}

export interface ElfObject {
  /** What is at an offset from a section's or a symbol's beginning. */
  readonly place: (name: string, offset: number) => string;
  /** Bytes of a section. */
  readonly sizeOf: (section: string) => number;
  /** Initialised data by section: bytes, and what its pointers point to. */
  readonly data: ReadonlyMap<string, string>;
}

const MACHINE = 18;
const MACHINES: ReadonlyMap<number, Architecture> = new Map([
  [62, "x86_64"],
  [183, "arm64"],
]);
const SECTION_HEADERS = 40;
const SECTION_COUNT = 60;
const SECTION_NAMES = 62;
const SECTION_HEADER_BYTES = 64;
const TYPE_CONTENT = 1;
const TYPE_SYMBOLS = 2;
const TYPE_RELOCATIONS = 4;
const TYPE_NO_BITS = 8;
/**
 * Lists about code, in the order of the code; frames of BUG() hold line numbers as well. What
 * unwinds the stack, in .eh_frame, Xen's linker discards.
 */
const LISTS = /^\.(bug_frames\..*|altinstructions|ex_table.*|discard.*|eh_frame)$/;
const FLAG_LOADED = 2n;
const FLAG_CODE = 4n;
const FLAG_MERGE = 0x10n;
const FLAG_STRINGS = 0x20n;
/** Where code and data begin, in objects for arm64: says nothing of what is there. */
const MAPPING_SYMBOL = /^\$[xd](\.|$)/;
const SYMBOL_BYTES = 24;
const SYMBOL_FILE = 4;
const RELOCATION_BYTES = 24;

/** The architecture that the file is an ELF64 object for; undefined: it is none. */
export function objectArchitecture(file: Buffer): Architecture | undefined {
  if (file.readUInt32LE(0) !== 0x464c457f || file[4] !== 2) return undefined;
  return MACHINES.get(file.readUInt16LE(MACHINE));
}

/** A symbol without its number: the compiler's, in the order of the file, or TEMP_NAME()'s line. */
export function withoutNumber(symbol: string): string {
  return symbol.replace(/\.\d+$|(?<=^__setup_\w*ign_)\d+$/, "");
}

function textAt(bytes: Buffer, offset: number): string {
  return bytes.toString("latin1", offset, bytes.indexOf(0, offset));
}

function readSections(file: Buffer): readonly Section[] {
  const start = Number(file.readBigUInt64LE(SECTION_HEADERS));
  const sections = Array.from({ length: file.readUInt16LE(SECTION_COUNT) }, (_, index) => {
    const header = file.subarray(start + index * SECTION_HEADER_BYTES);
    const type = header.readUInt32LE(4);
    const [offset, size] = [Number(header.readBigUInt64LE(24)), Number(header.readBigUInt64LE(32))];
    return {
      nameOffset: header.readUInt32LE(0),
      type,
      flags: header.readBigUInt64LE(8),
      link: header.readUInt32LE(40),
      about: header.readUInt32LE(44),
      entryBytes: Number(header.readBigUInt64LE(56)),
      bytes: type === TYPE_NO_BITS ? Buffer.alloc(size) : file.subarray(offset, offset + size),
    };
  });
  const names = sections[file.readUInt16LE(SECTION_NAMES)]?.bytes ?? Buffer.alloc(1);
  return sections.map((one) => ({ ...one, name: textAt(names, one.nameOffset), symbols: [] }));
}

/** Reads all symbols; a section's own is named as the section. */
function readSymbols(sections: readonly Section[]): readonly Symbol[] {
  const table = sections.find(({ type }) => type === TYPE_SYMBOLS);
  if (table === undefined) return [];
  const texts = sections[table.link]?.bytes ?? Buffer.alloc(1);
  return Array.from({ length: table.bytes.length / SYMBOL_BYTES }, (_, index) => {
    const entry = table.bytes.subarray(index * SYMBOL_BYTES);
    const section = entry.readUInt16LE(6);
    const name = textAt(texts, entry.readUInt32LE(0)) || (sections[section]?.name ?? "");
    const offset = Number(entry.readBigUInt64LE(8));
    const home = sections[section];
    const isFile = (entry.readUInt8(4) & 15) === SYMBOL_FILE;
    const symbol = { name, section, offset };
    const isPlace = !isFile && !MAPPING_SYMBOL.test(name) && home?.name !== name;
    if (isPlace) home?.symbols.push(symbol);
    return symbol;
  });
}

/** Reads an object file whose architecture is known. */
export function readElfObject(file: Buffer): ElfObject {
  const sections = readSections(file);
  const symbols = readSymbols(sections);
  for (const section of sections) section.symbols.sort((one, other) => one.offset - other.offset);
  const byName = new Map(sections.map((section) => [section.name, section]));
  // Constants without a name of their own: the compiler numbers their labels.
  const constants = new Map(
    symbols.filter(({ name }) => name.startsWith(".L")).map((symbol) => [symbol.name, symbol]),
  );

  const within = (section: Section, offset: number): string => {
    const { name, flags, bytes, entryBytes } = section;
    if (flags & FLAG_STRINGS) return JSON.stringify(textAt(bytes, offset));
    if (flags & FLAG_MERGE) return bytes.toString("hex", offset, offset + entryBytes);
    const symbol = section.symbols.findLast((one) => one.offset <= offset);
    if (symbol === undefined) return `${name}+${offset}`;
    return `${withoutNumber(symbol.name)}+${offset - symbol.offset}`;
  };

  const place = (name: string, offset: number): string => {
    const constant = constants.get(name);
    const section = constant === undefined ? byName.get(name) : sections[constant.section];
    if (section !== undefined) return within(section, (constant?.offset ?? 0) + offset);
    return `${withoutNumber(name)}+${offset}`;
  };

  const pointersOf = (index: number): string => {
    const all = sections.find(({ type, about }) => type === TYPE_RELOCATIONS && about === index);
    const words: string[] = [];
    for (let entry = 0; entry < (all?.bytes.length ?? 0); entry += RELOCATION_BYTES) {
      const one = all?.bytes.subarray(entry) ?? Buffer.alloc(RELOCATION_BYTES);
      const target = place(
        symbols[one.readUInt32LE(12)]?.name ?? "",
        Number(one.readBigInt64LE(16)),
      );
      words.push(`${one.readBigUInt64LE(0)}: type ${one.readUInt32LE(8)} ${target}`);
    }
    return words.join("\n");
  };

  const data = sections.flatMap(({ name, type, flags, bytes }, index) => {
    const isData = type === TYPE_CONTENT && (flags & (FLAG_LOADED | FLAG_CODE)) === FLAG_LOADED;
    // Strings count where something points to them.
    if (!isData || flags & FLAG_MERGE || LISTS.test(name)) return [];
    return [[name, `${bytes.toString("hex")}\n${pointersOf(index)}`] as const];
  });

  return { place, sizeOf: (name) => byName.get(name)?.bytes.length ?? 0, data: new Map(data) };
}
