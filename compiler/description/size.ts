// SPDX-License-Identifier: Apache-2.0
// Sizes of memory as people write them: a whole decimal number and a binary unit, `512 MiB`.

/** Units that a size may have, and their bytes, from the smallest on. */
export const sizeUnits = {
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
} as const;

export type SizeUnit = keyof typeof sizeUnits;

const unitNames = Object.keys(sizeUnits) as SizeUnit[];

/** What a size looks like; no sign, no fraction, no leading zero, no exponent. */
export const SIZE_PATTERN = new RegExp(`^(0|[1-9][0-9]*) *(${unitNames.join("|")})$`);

/** The unit that people mean by `unit`, be it of decimal thousands, short or in other capitals. */
function meantUnit(unit: string): SizeUnit | undefined {
  const letter = /^([kmgt])(i?b)?$/i.exec(unit)?.[1]?.toUpperCase();
  return unitNames.find((name) => name[0] === letter);
}

export type ParsedSize =
  | { readonly ok: true; readonly bytes: number }
  | { readonly ok: false; readonly fault: "no-unit"; readonly number: string }
  | {
      readonly ok: false;
      readonly fault: "other-unit";
      readonly number: string;
      readonly unit: string;
      /** The unit that was probably meant. */
      readonly meant: SizeUnit;
    }
  /** `whole` is the same size without its fraction, where there is one of whole bytes. */
  | { readonly ok: false; readonly fault: "malformed"; readonly whole?: string };

/** The bytes of a text that SIZE_PATTERN matches; throws for any other. */
export function sizeBytes(text: string): number {
  const match = SIZE_PATTERN.exec(text);
  if (match === null) throw new Error(`${JSON.stringify(text)} was taken for a size`);
  return Number(match[1]) * sizeUnits[match[2] as SizeUnit];
}

/** Reads a size. `bytes` is exact up to 2^53; above that only its order of magnitude counts. */
export function parseSize(text: string): ParsedSize {
  if (SIZE_PATTERN.test(text)) return { ok: true, bytes: sizeBytes(text) };
  const parts = /^([0-9]+(?:\.[0-9]+)?) *([A-Za-z]*)$/.exec(text);
  const number = parts?.[1];
  const unit = parts?.[2] ?? "";
  if (number === undefined || /^0[0-9]/.test(number)) return { ok: false, fault: "malformed" };
  if (number.includes(".")) {
    const known = unitNames.find((name) => name === unit);
    const bytes = known === undefined ? 0 : Number(number) * sizeUnits[known];
    return Number.isSafeInteger(bytes) && bytes > 0 && bytes % sizeUnits.KiB === 0
      ? { ok: false, fault: "malformed", whole: formatSize(bytes) }
      : { ok: false, fault: "malformed" };
  }
  if (unit === "") return { ok: false, fault: "no-unit", number };
  const meant = meantUnit(unit);
  return meant === undefined
    ? { ok: false, fault: "malformed" }
    : { ok: false, fault: "other-unit", number, unit, meant };
}

/** A size in the largest unit that holds it without a fraction; plain bytes when none does. */
export function formatSize(bytes: number): string {
  const unit = unitNames.findLast(
    (name) => bytes >= sizeUnits[name] && bytes % sizeUnits[name] === 0,
  );
  return unit === undefined ? `${bytes} bytes` : `${bytes / sizeUnits[unit]} ${unit}`;
}
