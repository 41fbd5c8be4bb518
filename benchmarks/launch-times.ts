// SPDX-License-Identifier: Apache-2.0
// Where the time of a launch goes, in virtual time: one instruction is one nanosecond, so that
// every run on every machine gives the same figures.

import { bootDomainClock } from "../lab/boot-domain-clock.js";
import { type Booted, booted, compiledExample, exactTime } from "../lab/lab-bench.js";
import type { Figure } from "./sizes.js";

function milliseconds(what: string, nanoseconds: number): Figure {
  return { what, value: Math.round(nanoseconds / 1000) / 1000, unit: "ms" };
}

/** The figures of one booted launch; times count from Xen's first line. */
export function launchFigures({ outcome }: Booted): Figure[] {
  const clock = bootDomainClock(outcome.receiptLines);
  const share = clock.ended - clock.began;
  const parts = clock.digest + clock.populate + clock.copy + clock.clear;
  const firstStart = outcome.domains[0]?.startedAtNs ?? 0;
  const origin = firstStart - (clock.started[0] ?? 0);
  return [
    milliseconds("Xen's first line to the boot domain's first instruction", clock.began + origin),
    ...outcome.domains.map(({ name, startedAtNs }) =>
      milliseconds(`… to the start of ${name}`, startedAtNs ?? Number.NaN),
    ),
    milliseconds("… to Exit Boot Services", clock.ended + origin),
    ...outcome.domains.map(({ name, markerAtNs }) =>
      milliseconds(`… to the marker of ${name}`, markerAtNs ?? Number.NaN),
    ),
    milliseconds("the boot domain's share, all", share),
    milliseconds("of it digests", clock.digest),
    milliseconds("of it giving memory", clock.populate),
    milliseconds("of it copying", clock.copy),
    milliseconds("of it clearing", clock.clear),
    milliseconds("of it all the rest", share - parts),
    milliseconds("all but digests", share - clock.digest),
  ];
}

/** Boots examples/two-linux and measures it. */
export async function twoLinuxFigures(): Promise<Figure[]> {
  const { image, plan, xenCommandLine } = await compiledExample("two-linux");
  const launch = await booted(image, xenCommandLine, exactTime);
  const digest = bootDomainClock(launch.outcome.receiptLines).digest;
  const bytes = plan.materials.reduce((sum, material) => sum + material.bytes, 0);
  const perByte = Math.round((100 * digest) / bytes) / 100;
  return [
    ...launchFigures(launch),
    { what: "instructions for a byte digested", value: perByte, unit: "" },
  ];
}
