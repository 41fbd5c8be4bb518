// SPDX-License-Identifier: Apache-2.0
// Linux domains on arm64 by two ways, in virtual time: an unpatched Xen makes them of its device
// tree (dom0less, the yardstick), or domb's boot domain of a launch image. Both have the same
// materials, command lines, memory and host, and both Xens one configuration but for
// CONFIG_BOOT_DOMAIN. The host's counter starts at its reset, and Xen a few instructions later.

import { relative } from "node:path";
import { workOfStep } from "../compiler/plan/work.js";
import { defaultMarker } from "../lab/boot.js";
import { bootDomainClock } from "../lab/boot-domain-clock.js";
import { bootDom0less, type LinuxDomain } from "../lab/dom0less/boot-dom0less.js";
import { booted, compiled } from "../lab/lab-bench.js";
import { type LogLine, parseLogLine, readFrequency } from "../lab/xen-log.js";
import { paths } from "../setup/paths.js";
import type { Figure } from "./sizes.js";

const counts = [1, 2, 4, 8];
const mebibyte = 0x100000;
const hostMemoryBytes = 2048 * mebibyte;

const domain = (index: number): LinuxDomain => ({
  commandLine: `console=ttyAMA0 domain=linux${index + 1}`,
  memoryBytes: 128 * mebibyte,
});

const domains = (count: number): LinuxDomain[] =>
  Array.from({ length: count }, (_, index) => domain(index));

/** When Xen, or a domain, printed the last line with a text. */
interface Log {
  readonly at: (text: string) => number;
}

/** A log with its times in virtual milliseconds from Xen's entry. */
function readLog(lines: readonly string[]): Log {
  if (lines.some((line) => line.includes("3... 2... 1..."))) {
    throw new Error("Xen waited for its warnings to be read; the figure would say nothing");
  }
  const parsed = lines.map(parseLogLine).filter((line): line is LogLine => line !== undefined);
  const frequency = parsed.map(({ text }) => readFrequency(text)).find((found) => found);
  return {
    at: (wanted) => {
      const last = parsed.findLast(({ text }) => text.includes(wanted));
      if (frequency === undefined || last === undefined) {
        throw new Error(`bug: no "${wanted}" in the log`);
      }
      return last.ticks / frequency / 1000;
    },
  };
}

function milliseconds(what: string, value: number): Figure {
  return { what, value: Math.round(value * 1000) / 1000, unit: "ms" };
}

/** One launch by domb, times in milliseconds. */
interface Launch {
  readonly log: Log;
  readonly digest: number;
  readonly populate: number;
  readonly copy: number;
  /** From the boot domain's first instruction to its exit. */
  readonly share: number;
  readonly digestedBytes: number;
}

/** Boots the domains by domb. */
async function launched(linuxes: readonly LinuxDomain[]): Promise<Launch> {
  const { image, plan, xenCommandLine } = await compiled({
    domb: 1,
    arch: "arm64",
    domains: Object.fromEntries(
      linuxes.map(({ commandLine, memoryBytes }, index) => [
        `linux${index + 1}`,
        {
          kernel: relative(paths.checkout, paths.arm64GuestKernel),
          ramdisk: relative(paths.checkout, paths.arm64GuestRamdisk),
          cmdline: commandLine,
          memory: `${memoryBytes / mebibyte} MiB`,
          output: "xen-log",
        },
      ]),
    ),
  });
  const { outcome, xenLog } = await booted(image, xenCommandLine, { hostMemoryBytes });
  if (outcome.status !== "success") throw new Error(outcome.reason);
  const clock = bootDomainClock(outcome.receiptLines);
  return {
    log: readLog(xenLog.split("\n")),
    digest: clock.digest / 1e6,
    populate: clock.populate / 1e6,
    copy: clock.copy / 1e6,
    share: (clock.ended - clock.began) / 1e6,
    digestedBytes: plan.steps.reduce((sum, step) => sum + workOfStep(plan, step).digestBytes, 0),
  };
}

const initFreed = " init memory.";

/** Where the time before the first start goes: what dom0less does in Xen, and what domb does. */
function phaseFigures(yardstick: Log, { log, share, digest, populate, copy }: Launch): Figure[] {
  const built = log.at(initFreed) - log.at("*** Building boot domain");
  const destroyed = log.at("Boot domain destroyed: ") - log.at("Exit Boot Services: ");
  const made = yardstick.at(initFreed) - yardstick.at("Xen dom0less mode detected");
  return [
    milliseconds("1 Linux, dom0less: Xen makes the domain", made),
    milliseconds("1 Linux, domb: Xen makes the boot domain and copies the image to it", built),
    milliseconds("… the boot domain digests", digest),
    milliseconds("… has Xen give memory", populate),
    milliseconds("… has Xen copy", copy),
    milliseconds("… does the rest", share - digest - populate - copy),
    milliseconds("… Xen scrubs and frees the boot domain's memory", destroyed),
  ];
}

export async function dom0lessFigures(): Promise<Figure[]> {
  const figures: Figure[] = [];
  let phases: Figure[] = [];
  for (const count of counts) {
    const yardstick = readLog(await bootDom0less(domains(count), hostMemoryBytes));
    const launch = await launched(domains(count));
    const [theirs, ours] = [yardstick, launch.log].map((log) => log.at(defaultMarker)) as [
      number,
      number,
    ];
    figures.push(
      milliseconds(`dom0less: Xen's entry to the last marker of ${count} Linux`, theirs),
      milliseconds("domb: the same", ours),
      milliseconds("… of it digests", launch.digest),
      milliseconds("… without digests", ours - launch.digest),
      milliseconds("… without digests, more than dom0less", ours - launch.digest - theirs),
    );
    if (phases.length > 0) continue;
    const perByte = Math.round((launch.digest * 1e8) / launch.digestedBytes) / 100;
    phases = [
      ...phaseFigures(yardstick, launch),
      { what: "instructions for a byte digested", value: perByte, unit: "" },
    ];
  }
  return [...figures, ...phases];
}
