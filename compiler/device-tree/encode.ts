// SPDX-License-Identifier: Apache-2.0
// Writes a device tree in its flattened form: the same tree gives the same bytes. What is written
// can be read back by decode.ts; a tree that could not is a bug of the caller's, and throws.

import {
  type DeviceTree,
  type DeviceTreeNode,
  MAX_TREE_BYTES,
  MAX_TREE_DEPTH,
  NODE_NAME_PATTERN,
  PROPERTY_NAME_PATTERN,
} from "./device-tree.js";
import {
  aligned,
  HEADER_BYTES,
  LAST_COMPATIBLE_VERSION,
  MAGIC,
  TOKEN_BYTES,
  Token,
  VERSION,
} from "./format.js";
import { cells, cells64 } from "./values.js";

/**
 * The flattened tree: header, reservations, structure, and strings in the order of first use. One
 * that is not for Xen may be larger than what Xen maps.
 */
export function encodeDeviceTree(
  { bootCpu, reservations, root }: DeviceTree,
  mostBytes = MAX_TREE_BYTES,
): Uint8Array {
  if (root.name !== "") throw new Error(`the root of a device tree has the name ${root.name}`);
  const strings = new Strings();
  const parts: Uint8Array[] = [];
  writeNode(root, strings, parts, 1);
  parts.push(cells(Token.end));
  const structure = joined(parts);
  const names = strings.bytes();
  const reserved = cells64(...reservations.flatMap(pairOf), 0, 0);

  const structureOffset = HEADER_BYTES + reserved.length;
  const stringsOffset = structureOffset + structure.length;
  const totalBytes = stringsOffset + names.length;
  if (totalBytes > mostBytes) throw new Error(`a device tree has ${totalBytes} bytes`);
  const header = cells(
    MAGIC,
    totalBytes,
    structureOffset,
    stringsOffset,
    HEADER_BYTES,
    VERSION,
    LAST_COMPATIBLE_VERSION,
    bootCpu,
    names.length,
    structure.length,
  );
  return joined([header, reserved, structure, names]);
}

/** Names of properties, each once. */
class Strings {
  readonly #offsets = new Map<string, number>();
  #length = 0;

  offsetOf(name: string): number {
    const known = this.#offsets.get(name);
    if (known !== undefined) return known;
    const offset = this.#length;
    this.#offsets.set(name, offset);
    this.#length += name.length + 1;
    return offset;
  }

  bytes(): Uint8Array {
    return new TextEncoder().encode([...this.#offsets.keys()].map((name) => `${name}\0`).join(""));
  }
}

function writeNode(
  { name, properties, children }: DeviceTreeNode,
  strings: Strings,
  parts: Uint8Array[],
  depth: number,
): void {
  if (depth > MAX_TREE_DEPTH) throw new Error(`a device tree is more than ${MAX_TREE_DEPTH} deep`);
  parts.push(cells(Token.beginNode), padded(new TextEncoder().encode(`${name}\0`)));
  for (const [property, value] of properties) {
    if (!PROPERTY_NAME_PATTERN.test(property)) {
      throw new Error(`${name} has a property with the name ${JSON.stringify(property)}`);
    }
    parts.push(cells(Token.property, value.length, strings.offsetOf(property)), padded(value));
  }
  const names = new Set<string>();
  for (const child of children) {
    if (!NODE_NAME_PATTERN.test(child.name) || names.has(child.name)) {
      throw new Error(`${name} has a child, or two, with the name ${JSON.stringify(child.name)}`);
    }
    names.add(child.name);
    writeNode(child, strings, parts, depth + 1);
  }
  parts.push(cells(Token.endNode));
}

function pairOf({ address, bytes }: DeviceTree["reservations"][number]): readonly bigint[] {
  if (address === 0n && bytes === 0n) throw new Error("an empty reservation at 0 ends the list");
  return [address, bytes];
}

function padded(bytes: Uint8Array): Uint8Array {
  if (bytes.length % TOKEN_BYTES === 0) return bytes;
  const whole = new Uint8Array(aligned(bytes.length));
  whole.set(bytes);
  return whole;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
