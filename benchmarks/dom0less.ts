// SPDX-License-Identifier: Apache-2.0
// The yardstick on arm64: Linux domains that an unpatched Xen makes of its device tree (dom0less),
// in virtual time. The host's counter starts at its reset, and Xen a few instructions later.

import { defaultMarker } from "../lab/boot.js";
import { bootDom0less, type LinuxDomain } from "../lab/dom0less/boot-dom0less.js";
import { parseLogLine, readFrequency } from "../lab/xen-log.js";
import type { Figure } from "./sizes.js";

const counts = [1, 2, 4, 8];
const mebibyte = 0x100000;
const hostMemoryBytes = 2048 * mebibyte;

const domain = (index: number): LinuxDomain => ({
  commandLine: `console=ttyAMA0 domain=linux${index + 1}`,
  memoryBytes: 128 * mebibyte,
});

/** Virtual milliseconds from Xen's entry to the last marker in a log. */
function lastMarkerMs(lines: readonly string[]): number {
  if (lines.some((line) => line.includes("3... 2... 1..."))) {
    throw new Error("Xen waited for its warnings to be read; the figure would say nothing");
  }
  const parsed = lines.map(parseLogLine).filter((line) => line !== undefined);
  const frequency = parsed.map(({ text }) => readFrequency(text)).find((found) => found);
  const last = parsed.findLast(({ text }) => text.includes(defaultMarker));
  if (frequency === undefined || last === undefined) throw new Error("bug: no marker in the log");
  return Math.round(last.ticks / frequency) / 1000;
}

export async function dom0lessFigures(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const count of counts) {
    const domains = Array.from({ length: count }, (_, index) => domain(index));
    const value = lastMarkerMs(await bootDom0less(domains, hostMemoryBytes));
    const what = `dom0less: Xen's entry to the last marker of ${count} Linux`;
    figures.push({ what, value, unit: "ms" });
  }
  return figures;
}
