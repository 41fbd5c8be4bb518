// SPDX-License-Identifier: Apache-2.0
// Times and sizes as people read them: three digits that count, and a unit.

const timeUnits = [
  [1e9, "s"],
  [1e6, "ms"],
  [1e3, "µs"],
] as const;

const sizeUnits = [
  [2 ** 40, "TiB"],
  [2 ** 30, "GiB"],
  [2 ** 20, "MiB"],
  [2 ** 10, "KiB"],
] as const;

/** A number with three digits that count, and without zeros behind its point. */
export function threeDigits(value: number): string {
  if (value >= 100) return String(Math.round(value));
  return String(Number(value.toPrecision(3)));
}

/** A time as `1.25 s`. */
export function formatTime(nanoseconds: number): string {
  if (nanoseconds === 0) return "0";
  const [size, unit] = timeUnits.find(([least]) => nanoseconds >= least) ?? [1, "ns"];
  return `${threeDigits(nanoseconds / size)} ${unit}`;
}

/** A size as `63.9 MiB`. */
export function formatBytes(bytes: number): string {
  const [size, unit] = sizeUnits.find(([least]) => bytes >= least) ?? [1, "bytes"];
  return `${threeDigits(bytes / size)} ${unit}`;
}

/** Round times from 0 to at most `most`, some five of them: where an axis has its marks. */
export function timeMarks(most: number): readonly number[] {
  if (most <= 0) return [0];
  const rough = most / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough) ?? rough;
  return Array.from({ length: Math.floor(most / step) + 1 }, (_, index) => index * step);
}
