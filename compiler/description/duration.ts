// SPDX-License-Identifier: Apache-2.0
// Times as people write them: a whole decimal number and a unit, `5 s`.

/** Units that a time may have, and their milliseconds, from the smallest on. */
export const durationUnits = { ms: 1, s: 1000, min: 60_000 } as const;

export type DurationUnit = keyof typeof durationUnits;

const unitNames = Object.keys(durationUnits) as DurationUnit[];

/** What a time looks like; no sign, no fraction, no leading zero, no exponent. */
export const DURATION_PATTERN = new RegExp(`^(0|[1-9][0-9]*) *(${unitNames.join("|")})$`);

/** Other spellings of units, and how many of which unit they are; none at all means seconds. */
const spellings: readonly (readonly [spelling: RegExp, count: number, unit: DurationUnit])[] = [
  [/^(ms|msecs?|millis|milliseconds?)$/i, 1, "ms"],
  [/^(s|secs?|seconds?)?$/i, 1, "s"],
  [/^(m|mins?|minutes?)$/i, 1, "min"],
  [/^(h|hours?)$/i, 60, "min"],
];

export type ParsedDuration =
  | { readonly ok: true; readonly milliseconds: number }
  /** `meant` is how it is written right, if that can be told. */
  | { readonly ok: false; readonly meant?: string };

/** The milliseconds of a text that DURATION_PATTERN matches; throws for any other. */
export function durationMilliseconds(text: string): number {
  const match = DURATION_PATTERN.exec(text);
  if (match === null) throw new Error(`${JSON.stringify(text)} was taken for a time`);
  return Number(match[1]) * durationUnits[match[2] as DurationUnit];
}

/** Reads a time. `milliseconds` is exact up to 2^53; above, only its order of magnitude counts. */
export function parseDuration(text: string): ParsedDuration {
  if (DURATION_PATTERN.test(text)) return { ok: true, milliseconds: durationMilliseconds(text) };
  const [, number = "", unit = ""] =
    /^((?:0|[1-9][0-9]*)(?:\.[0-9]+)?) *([A-Za-z]*)$/.exec(text) ?? [];
  const spelling = spellings.find(([known]) => known.test(unit));
  if (number === "" || spelling === undefined) return { ok: false };
  const [, count, name] = spelling;
  if (!number.includes(".")) return { ok: false, meant: `${Number(number) * count} ${name}` };
  const milliseconds = Math.round(Number(number) * count * durationUnits[name]);
  return milliseconds > 0 && Number.isSafeInteger(milliseconds)
    ? { ok: false, meant: formatDuration(milliseconds) }
    : { ok: false };
}

/** A time in the largest unit that holds it without a fraction. */
export function formatDuration(milliseconds: number): string {
  const unit = unitNames.findLast((name) => milliseconds % durationUnits[name] === 0) ?? "ms";
  return `${milliseconds / durationUnits[unit]} ${unit}`;
}
