// SPDX-License-Identifier: Apache-2.0
// The times in a boot domain's receipt lines, in nanoseconds of its own clock.

/** Times since the clock's origin, and durations. */
export interface BootDomainClock {
  readonly began: number;
  readonly ended: number;
  readonly digest: number;
  readonly populate: number;
  readonly copy: number;
  readonly clear: number;
  /** When each domain was started, in the order of the plan; 0: never. */
  readonly started: readonly number[];
}

const launchTimes =
  /kHz (\d+) began (\d+) ended (\d+) digest (\d+) populate (\d+) copy (\d+) clear (\d+) /;

/** Throws when the lines hold no launch: they are the boot domain's own. */
export function bootDomainClock(receiptLines: readonly string[]): BootDomainClock {
  const times = receiptLines.map((line) => launchTimes.exec(line)).find((match) => match !== null);
  if (times === undefined) throw new Error("no launch line in the receipt");
  const [kilohertz = 1, ...ticks] = times.slice(1).map(Number);
  const nanoseconds = (count: number): number => Math.round((count * 1e6) / kilohertz);
  const [began = 0, ended = 0, digest = 0, populate = 0, copy = 0, clear = 0] =
    ticks.map(nanoseconds);
  const started = receiptLines.flatMap((line) => {
    const match = /^domb: domain .* started (\d+)$/.exec(line);
    return match === null ? [] : [nanoseconds(Number(match[1]))];
  });
  return { began, ended, digest, populate, copy, clear, started };
}
