// SPDX-License-Identifier: Apache-2.0
// The plan's table of materials: equal bytes are one material, wherever they come from. Also where
// each lies in the image: in the table's order, each at a multiple of the page size.

import { createHash } from "node:crypto";
import { PAGE_SIZE } from "../../contract/limits.js";
import type { PlanMaterial } from "./plan.js";

/** A material with its bytes; not yet placed in an image. */
export interface Material {
  readonly kind: PlanMaterial["kind"];
  readonly bytes: Uint8Array;
  /** SHA-256, hexadecimal. */
  readonly digest: string;
}

export class MaterialTable {
  readonly materials: Material[] = [];
  readonly #indexes = new Map<string, number>();
  readonly #known = new Map<Uint8Array, number>();

  /** Index of the material with these bytes, from 0; the first use decides its kind. */
  add(kind: Material["kind"], bytes: Uint8Array): number {
    const known = this.#known.get(bytes);
    if (known !== undefined) return known;
    const digest = createHash("sha256").update(bytes).digest("hex");
    const index = this.#indexes.get(digest) ?? this.materials.length;
    if (index === this.materials.length) this.materials.push({ kind, bytes, digest });
    this.#indexes.set(digest, index);
    this.#known.set(bytes, index);
    return index;
  }
}

/** Records of materials that lie in an image from the first page behind `start` bytes on. */
export function placeMaterials(
  materials: readonly Material[],
  start: number,
): readonly PlanMaterial[] {
  let offset = roundUpToPage(start);
  return materials.map(({ kind, bytes, digest }) => {
    const record = { kind, offset, bytes: bytes.length, digest };
    offset = roundUpToPage(offset + bytes.length);
    return record;
  });
}

/** Size in bytes of an image in which `materials` lie behind `start` bytes. */
export function imageBytesOf(materials: readonly PlanMaterial[], start: number): number {
  const last = materials.at(-1);
  return last === undefined ? start : roundUpToPage(last.offset + last.bytes);
}

function roundUpToPage(bytes: number): number {
  return Math.ceil(bytes / PAGE_SIZE) * PAGE_SIZE;
}
