// SPDX-License-Identifier: Apache-2.0
// Values of properties: big-endian cells of 32 bits, numbers of several cells, and texts that end
// in a zero byte. A reader returns undefined for bytes that are no such value.

const CELL_BYTES = 4;
const MAX_CELL = 0xffff_ffff;
const MAX_CELL_PAIR = 0xffff_ffff_ffff_ffffn;

/** Numbers of one cell each. Throws a RangeError for a number that does not fit. */
export function cells(...numbers: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(numbers.length * CELL_BYTES);
  const view = new DataView(bytes.buffer);
  numbers.forEach((number, index) => {
    if (!Number.isInteger(number) || number < 0 || number > MAX_CELL) {
      throw new RangeError(`${number} does not fit in a cell`);
    }
    view.setUint32(index * CELL_BYTES, number);
  });
  return bytes;
}

/** Numbers of two cells each. Throws a RangeError for a number that does not fit. */
export function cells64(...numbers: readonly (bigint | number)[]): Uint8Array {
  const bytes = new Uint8Array(numbers.length * 2 * CELL_BYTES);
  const view = new DataView(bytes.buffer);
  numbers.forEach((number, index) => {
    const value = BigInt(number);
    if (value < 0n || value > MAX_CELL_PAIR) {
      throw new RangeError(`${number} does not fit in two cells`);
    }
    view.setBigUint64(index * 2 * CELL_BYTES, value);
  });
  return bytes;
}

/** Texts in UTF-8. Throws a RangeError for one with a zero byte, which would be two. */
export function texts(...values: readonly string[]): Uint8Array {
  const wrong = values.find((text) => text.includes("\0"));
  if (wrong !== undefined) throw new RangeError(`${JSON.stringify(wrong)} has a zero byte`);
  return new TextEncoder().encode(values.map((text) => `${text}\0`).join(""));
}

/** The cells of a value. */
export function readCells(value: Uint8Array): readonly number[] | undefined {
  if (value.length % CELL_BYTES !== 0) return undefined;
  const view = new DataView(value.buffer, value.byteOffset, value.length);
  return Array.from({ length: value.length / CELL_BYTES }, (_, index) =>
    view.getUint32(index * CELL_BYTES),
  );
}

/**
 * The rows of a value as `reg` or `ranges`: each row has numbers of as many cells as `widths` say,
 * where 0 cells are the number 0.
 */
export function readRows(
  value: Uint8Array,
  widths: readonly number[],
): readonly (readonly bigint[])[] | undefined {
  const all = readCells(value);
  const width = widths.reduce((sum, count) => sum + count, 0);
  if (all === undefined || width === 0 || all.length % width !== 0) return undefined;
  return Array.from({ length: all.length / width }, (_, row) => {
    let at = row * width;
    return widths.map((count) => {
      const number = all
        .slice(at, at + count)
        .reduce((sum, cell) => (sum << 32n) | BigInt(cell), 0n);
      at += count;
      return number;
    });
  });
}

/** The texts of a value: at least one. */
export function readTexts(value: Uint8Array): readonly string[] | undefined {
  if (value.length === 0 || value[value.length - 1] !== 0) return undefined;
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(value);
    return text.slice(0, -1).split("\0");
  } catch {
    return undefined;
  }
}

/** The text of a value that is one text. */
export function readText(value: Uint8Array): string | undefined {
  const all = readTexts(value);
  return all?.length === 1 ? all[0] : undefined;
}
