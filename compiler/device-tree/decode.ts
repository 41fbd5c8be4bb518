// SPDX-License-Identifier: Apache-2.0
// Reads a flattened device tree. Every byte is hostile: each offset and length is checked before
// it is used, and the first fault ends the reading. Padding and gaps between the parts are not
// looked at.

import type { Diagnostic, Place, Result } from "../diagnostics/diagnostic.js";
import {
  type DeviceTree,
  type DeviceTreeNode,
  MAX_TREE_BYTES,
  MAX_TREE_DEPTH,
  NODE_NAME_PATTERN,
  PROPERTY_NAME_PATTERN,
  type Reservation,
} from "./device-tree.js";
import {
  aligned,
  HEADER_BYTES,
  Header,
  MAGIC,
  PROPERTY_HEADER_BYTES,
  RESERVATION_ALIGNMENT,
  RESERVATION_BYTES,
  TOKEN_BYTES,
  Token,
  VERSION,
} from "./format.js";
import { type DeviceTreeCode, deviceTreeRules } from "./rules.js";

/** Bytes of a name with its zero byte: more than the patterns of names allow. */
const MAX_NAME_BYTES = 257;

/** Where the tree comes from, for what is told of its faults. */
export interface DeviceTreeSource {
  readonly place: Place;
  /** What messages call it, as a file's name. */
  readonly name: string;
}

/** Reads a flattened tree; `bytes` are the whole file. */
export function decodeDeviceTree(bytes: Uint8Array, source: DeviceTreeSource): Result<DeviceTree> {
  try {
    return { ok: true, value: new Reader(bytes).tree(), diagnostics: [] };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { ok: false, diagnostics: [error.diagnostic(source)] };
  }
}

/** Leaves the reader from any depth; never leaves this file. */
class Fault extends Error {
  constructor(
    readonly code: DeviceTreeCode,
    readonly offset: number,
    found: string,
    wanted: string,
  ) {
    super(`${found} at byte ${hexadecimal(offset)}, wanted ${wanted}`);
  }

  diagnostic({ place, name }: DeviceTreeSource): Diagnostic {
    return deviceTreeRules.diagnose(this.code, {
      place,
      message: `${name}: ${this.message}`,
      fix: "Copy the device tree again, or compile it with `dtc -I dts -O dtb`.",
    });
  }
}

/** A part of the file, from `start` to before `end`. */
interface Block {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** A node whose end has not been read yet. */
interface OpenNode {
  readonly name: string;
  readonly properties: Map<string, Uint8Array>;
  readonly children: DeviceTreeNode[];
  readonly childNames: Set<string>;
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  tree(): DeviceTree {
    this.#checkHeader();
    const structure = this.#block("structure", "off_dt_struct", "size_dt_struct", TOKEN_BYTES);
    const strings = this.#block("strings", "off_dt_strings", "size_dt_strings", 1);
    const { reservations, block } = this.#reservations();
    checkApart([{ name: "header", start: 0, end: HEADER_BYTES }, block, structure, strings]);
    const root = this.#root(structure, strings);
    return { bootCpu: this.#field("boot_cpuid_phys"), reservations, root };
  }

  #field(name: keyof typeof Header): number {
    return this.#view.getUint32(Header[name]);
  }

  #checkHeader(): void {
    const { length } = this.#bytes;
    if (length < HEADER_BYTES) {
      throw new Fault("DOMB3101", length, "the file's end", `a header of ${HEADER_BYTES} bytes`);
    }
    const check = (
      name: keyof typeof Header,
      isRight: (value: number) => boolean,
      want: string,
    ) => {
      const value = this.#field(name);
      if (isRight(value)) return;
      throw new Fault("DOMB3101", Header[name], `${name} is ${hexadecimal(value)}`, want);
    };
    check("magic", (value) => value === MAGIC, hexadecimal(MAGIC));
    check("totalsize", (value) => value === length, `the file's size, ${hexadecimal(length)}`);
    check(
      "totalsize",
      (value) => value <= MAX_TREE_BYTES,
      `at most ${hexadecimal(MAX_TREE_BYTES)}, as many bytes as Xen maps`,
    );
    check("version", (value) => value >= VERSION, `at least ${hexadecimal(VERSION)}`);
    check("last_comp_version", (value) => value <= VERSION, `at most ${hexadecimal(VERSION)}`);
  }

  #block(
    name: string,
    offsetField: keyof typeof Header,
    sizeField: keyof typeof Header,
    alignment: number,
  ): Block {
    const start = this.#offset(offsetField, alignment);
    const size = this.#field(sizeField);
    const room = this.#bytes.length - start;
    if (size <= room) return { name, start, end: start + size };
    throw new Fault(
      "DOMB3101",
      Header[sizeField],
      `${sizeField} is ${hexadecimal(size)} with ${offsetField} ${hexadecimal(start)}`,
      `at most the ${hexadecimal(room)} bytes up to the file's end`,
    );
  }

  #offset(field: keyof typeof Header, alignment: number): number {
    const offset = this.#field(field);
    if (offset % alignment === 0 && offset <= this.#bytes.length) return offset;
    throw new Fault(
      "DOMB3101",
      Header[field],
      `${field} is ${hexadecimal(offset)}`,
      `a multiple of ${alignment}, at most ${hexadecimal(this.#bytes.length)}`,
    );
  }

  #reservations(): { readonly reservations: readonly Reservation[]; readonly block: Block } {
    const start = this.#offset("off_mem_rsvmap", RESERVATION_ALIGNMENT);
    const reservations: Reservation[] = [];
    for (let at = start; ; at += RESERVATION_BYTES) {
      if (at + RESERVATION_BYTES > this.#bytes.length) {
        const wanted = "reservations that end with an address and a size of 0";
        throw new Fault("DOMB3101", at, "the file's end", wanted);
      }
      const address = this.#view.getBigUint64(at);
      const bytes = this.#view.getBigUint64(at + 8);
      if (address === 0n && bytes === 0n) {
        const block = { name: "reservations", start, end: at + RESERVATION_BYTES };
        return { reservations, block };
      }
      reservations.push({ address, bytes });
    }
  }

  #root(structure: Block, strings: Block): DeviceTreeNode {
    const open: OpenNode[] = [];
    let root: DeviceTreeNode | undefined;
    let at = structure.start;
    for (;;) {
      const token = this.#token(at, structure);
      const tokenAt = at;
      at += TOKEN_BYTES;
      const node = open.at(-1);
      if (token === Token.nop) continue;
      if (token === Token.beginNode && root === undefined) {
        const name = this.#text(at, structure);
        checkNodeName(name, at, node);
        if (open.length === MAX_TREE_DEPTH) {
          const wanted = `nodes at most ${MAX_TREE_DEPTH} deep`;
          throw new Fault("DOMB3102", tokenAt, "a node within as many", wanted);
        }
        open.push({ name, properties: new Map(), children: [], childNames: new Set() });
        at = aligned(at + name.length + 1);
      } else if (token === Token.property && node?.children.length === 0) {
        at = this.#property(at, structure, strings, node);
      } else if (token === Token.endNode && node !== undefined) {
        const { name, properties, children } = node;
        const complete = { name, properties, children };
        open.pop();
        const parent = open.at(-1);
        if (parent === undefined) root = complete;
        else parent.children.push(complete);
      } else if (token === Token.end && root !== undefined) {
        if (at === structure.end) return root;
        throw new Fault("DOMB3102", at, "more of the structure", "its end, after FDT_END");
      } else {
        throw new Fault("DOMB3102", tokenAt, `token ${hexadecimal(token)}`, expected(node, root));
      }
    }
  }

  #token(at: number, structure: Block): number {
    if (at + TOKEN_BYTES <= structure.end) return this.#view.getUint32(at);
    throw new Fault("DOMB3102", at, "the structure's end", "a token, at last FDT_END");
  }

  /** Reads a property behind its token; returns where the next token lies. */
  #property(at: number, structure: Block, strings: Block, node: OpenNode): number {
    const valueAt = at + PROPERTY_HEADER_BYTES;
    if (valueAt > structure.end) {
      throw new Fault("DOMB3102", at, "the structure's end", "a property's length and name");
    }
    const length = this.#view.getUint32(at);
    const room = structure.end - valueAt;
    if (length > room) {
      const wanted = `at most the ${hexadecimal(room)} bytes up to the structure's end`;
      throw new Fault("DOMB3102", at, `a property's length ${hexadecimal(length)}`, wanted);
    }
    const nameOffset = this.#view.getUint32(at + 4);
    if (nameOffset >= strings.end - strings.start) {
      const wanted = `less than size_dt_strings, ${hexadecimal(strings.end - strings.start)}`;
      const found = `a property's nameoff ${hexadecimal(nameOffset)}`;
      throw new Fault("DOMB3102", at + 4, found, wanted);
    }
    const name = this.#text(strings.start + nameOffset, strings);
    if (!PROPERTY_NAME_PATTERN.test(name) || node.properties.has(name)) {
      const wanted = "a name of its own, of letters, digits and ,._+?#-";
      throw new Fault("DOMB3103", at + 4, `the property name ${JSON.stringify(name)}`, wanted);
    }
    node.properties.set(name, Uint8Array.from(this.#bytes.subarray(valueAt, valueAt + length)));
    return aligned(valueAt + length);
  }

  /** The name at an offset, up to its zero byte; the bound keeps the whole reading linear. */
  #text(at: number, block: Block): string {
    const limit = Math.min(block.end, at + MAX_NAME_BYTES);
    const end = this.#bytes.subarray(0, limit).indexOf(0, at);
    if (end < 0) {
      const wanted = `a zero byte after it, before byte ${hexadecimal(limit)}`;
      throw new Fault("DOMB3102", at, "a name without end", wanted);
    }
    return Buffer.from(this.#bytes.subarray(at, end)).toString("latin1");
  }
}

/** Throws if two of the blocks share bytes. */
function checkApart(blocks: readonly Block[]): void {
  const sorted = blocks.toSorted((a, b) => a.start - b.start || a.end - b.end);
  sorted.forEach((block, index) => {
    const before = sorted[index - 1];
    if (before === undefined || before.end <= block.start) return;
    const wanted = `nothing of it before the end of the ${before.name}, ${hexadecimal(before.end)}`;
    throw new Fault("DOMB3101", block.start, `the ${block.name}`, wanted);
  });
}

/** Throws if a node may not have this name; remembers it as its parent's child. */
function checkNodeName(name: string, at: number, parent: OpenNode | undefined): void {
  const found = `the node name ${JSON.stringify(name)}`;
  if (parent === undefined) {
    if (name !== "") throw new Fault("DOMB3103", at, found, "an empty name, since it is the root");
    return;
  }
  if (!NODE_NAME_PATTERN.test(name) || parent.childNames.has(name)) {
    const wanted = "a name of its own, of letters, digits and ,._+-, perhaps with a unit address";
    throw new Fault("DOMB3103", at, found, wanted);
  }
  parent.childNames.add(name);
}

/** Which tokens may stand here. */
function expected(node: OpenNode | undefined, root: DeviceTreeNode | undefined): string {
  if (root !== undefined) return "FDT_END (9), after the root's end";
  if (node === undefined) return "FDT_BEGIN_NODE (1), the root's begin";
  if (node.children.length > 0) {
    return "FDT_BEGIN_NODE (1) or FDT_END_NODE (2), after a node's first child";
  }
  return "FDT_BEGIN_NODE (1), FDT_END_NODE (2) or FDT_PROP (3)";
}

function hexadecimal(value: number): string {
  return `0x${value.toString(16)}`;
}
