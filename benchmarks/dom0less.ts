// SPDX-License-Identifier: Apache-2.0
// Linux domains on arm64 by two ways, in virtual time: an unpatched Xen makes them of its device
// tree (dom0less, the yardstick), or domb's boot domain of a launch image. Both have the same
// materials, command lines, memory and host, and both Xens one configuration but for
// CONFIG_BOOT_DOMAIN. domb tells its domains of Xen, so that their Linux does more than it does in
// dom0less's plain ones: those are shown, too, but the comparison is with the ones that are told.
// The host's counter starts at its reset, and Xen a few instructions later.

import { relative } from "node:path";
import { defaultMarker } from "../lab/boot.js";
import { bootDomainClock } from "../lab/boot-domain-clock.js";
import { bootDom0less, type LinuxDomain } from "../lab/dom0less/boot-dom0less.js";
import { booted, compiled, exactTime } from "../lab/lab-bench.js";
import { type LogLine, parseLogLine, readFrequency } from "../lab/xen-log.js";
import { paths } from "../setup/paths.js";
import type { Figure } from "./sizes.js";

const counts = [1, 2, 4, 8];
const mebibyte = 0x100000;
const hostMemoryBytes = 2048 * mebibyte;

function domains(count: number, knowsXen = true): LinuxDomain[] {
  return Array.from({ length: count }, (_, index) => ({
    commandLine: `console=ttyAMA0 domain=linux${index + 1}`,
    memoryBytes: 128 * mebibyte,
    knowsXen,
  }));
}

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
  const { outcome, xenLog } = await booted(image, xenCommandLine, {
    ...exactTime,
    hostMemoryBytes,
  });
  if (outcome.status !== "success") throw new Error(outcome.reason);
  const clock = bootDomainClock(outcome.receiptLines);
  return {
    log: readLog(xenLog.split("\n")),
    digest: clock.digest / 1e6,
    populate: clock.populate / 1e6,
    copy: clock.copy / 1e6,
    share: (clock.ended - clock.began) / 1e6,
    digestedBytes: plan.materials.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

const initFreed = " init memory.";

/** Where the time before the first start goes: what dom0less does in Xen, and what domb does. */
function phaseFigures(yardstick: Log, launch: Launch): Figure[] {
  const { log, share, digest, populate, copy, digestedBytes } = launch;
  const built = log.at(initFreed) - log.at("*** Building boot domain");
  const destroyed = log.at("Boot domain destroyed: ") - log.at("Exit Boot Services: ");
  const made = yardstick.at(initFreed) - yardstick.at("Xen dom0less mode detected");
  const perByte = Math.round((digest * 1e8) / digestedBytes) / 100;
  return [
    milliseconds("dom0less: Xen makes the domain", made),
    milliseconds("domb: Xen makes the boot domain, of the image where it lies", built),
    milliseconds("… gives the domain memory", populate),
    milliseconds("… copies to it", copy),
    milliseconds("… takes the boot domain's memory back", destroyed),
    milliseconds("… all else of the boot domain but digests", share - digest - populate - copy),
    { what: "instructions for a byte digested", value: perByte, unit: "" },
  ];
}

/** Xen's entry to the last marker of some domains, by each way. */
async function figuresOf(count: number): Promise<Figure[]> {
  const plain = readLog(await bootDom0less(domains(count, false), hostMemoryBytes));
  const alike = readLog(await bootDom0less(domains(count), hostMemoryBytes));
  const launch = await launched(domains(count));
  const theirs = alike.at(defaultMarker);
  const ours = launch.log.at(defaultMarker);
  const figures = [
    milliseconds(`${count} Linux, dom0less`, plain.at(defaultMarker)),
    milliseconds(`${count} Linux, dom0less, told of Xen as domb's are`, theirs),
    milliseconds(`${count} Linux, domb`, ours),
    milliseconds("… of it digests", launch.digest),
    milliseconds("… without digests", ours - launch.digest),
    milliseconds(
      "… without digests, more than dom0less of the same",
      ours - launch.digest - theirs,
    ),
  ];
  return count === 1 ? [...figures, ...phaseFigures(alike, launch)] : figures;
}

export async function dom0lessFigures(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const count of counts) figures.push(...(await figuresOf(count)));
  return figures;
}
