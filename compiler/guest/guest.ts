// SPDX-License-Identifier: Apache-2.0
// Lays out one domain: where its memory is, where kernel, ramdisk and start of day lie in it, and
// how its vCPU starts. The kernel stays where it was linked; the rest goes behind it, or below it.

import { PAGE_SIZE } from "../../contract/limits.js";
import type { DomainDescription } from "../description/description.js";
import { MAX_COMMAND_LINE_BYTES } from "../description/limits.js";
import type { Place, Result } from "../diagnostics/diagnostic.js";
import type { GuestKernel, GuestPage } from "./kernel-pages.js";
import { type MemoryRange, pagesOf } from "./memory-ranges.js";
import type { FrameRange, Platform, ToldGuest } from "./platform.js";
import { guestRules } from "./rules.js";
import { linkMemoryOf, type Told, withTold } from "./told.js";

/** Whole pages of a guest with a file's bytes; what lies behind them in the last page is zero. */
export interface PlacedBytes {
  readonly frame: number;
  readonly bytes: Uint8Array;
}

type GuestCode = Parameters<typeof guestRules.diagnose>[0];

export interface Guest {
  readonly memory: readonly MemoryRange[];
  /** Every page that the kernel relies on, by ascending frame. */
  readonly kernel: readonly GuestPage[];
  readonly ramdisk: PlacedBytes | undefined;
  readonly startOfDay: PlacedBytes;
  /** The state in which vCPUs start, as Xen takes it; vCPU 0 is in the last one. */
  readonly vcpuContexts: readonly Uint8Array[];
  /** DomainRecord.devices and sharedInterrupts of contract/image.ts. */
  readonly devices: number;
  readonly sharedInterrupts: number;
}

/** What a guest is laid out for. */
export interface GuestTarget {
  readonly platform: Platform;
  /** Version of Xen, as in "4.17". */
  readonly xen: string;
}

/** Where the description gives a domain's values. */
export interface GuestPlaces {
  readonly memory: Place;
  readonly vcpus: Place;
  readonly cmdline: Place;
}

/** Lays out a domain that is told this of its links. */
export function layOutGuest(
  domain: DomainDescription,
  { kernel, pages }: GuestKernel,
  ramdisk: Uint8Array | undefined,
  { platform, xen }: GuestTarget,
  told: readonly Told[],
  places: GuestPlaces,
): Result<Guest> {
  const { start: lowStart, end: lowEnd } = platform.lowMemory;
  const place = places.memory;
  if (domain.vcpus > platform.mostVcpus.count) {
    const { count, why } = platform.mostVcpus;
    const message = `"${domain.name}" has ${domain.vcpus} vCPUs, wanted at most ${count}: ${why}`;
    const fix = `Give it ${count === 1 ? "one" : `${count} or fewer`}.`;
    return refused("DOMB4003", places.vcpus, message, fix);
  }
  if (domain.memoryBytes > platform.mostMemoryBytes) {
    const most = mebibytes(platform.mostMemoryBytes);
    const message = `the memory of "${domain.name}" is ${mebibytes(domain.memoryBytes)}, wanted at most ${most}`;
    return refused("DOMB4001", place, message, "Give it less.");
  }
  const kernelRanges = kernel.segments.map(({ address, memoryBytes }) => ({
    start: Math.floor(address / PAGE_SIZE),
    end: pagesOf(address + memoryBytes),
  }));
  const kernelStart = Math.min(...kernelRanges.map(({ start }) => start));
  const kernelEnd = Math.max(...kernelRanges.map(({ end }) => end));
  if (kernelStart * PAGE_SIZE < lowStart || kernelEnd * PAGE_SIZE > lowEnd) {
    const message =
      `the kernel of "${domain.name}" (${domain.kernel}) lies at guest addresses ` +
      `${hexadecimal(kernelStart * PAGE_SIZE)} to ${hexadecimal(kernelEnd * PAGE_SIZE)}, ` +
      `wanted ${hexadecimal(lowStart)} to ${hexadecimal(lowEnd)}`;
    const fix = "Link the kernel at physical addresses that its domain has.";
    return refused("DOMB4002", place, message, fix);
  }

  const cmdline = withTold(domain.cmdline, told);
  const cmdlineBytes = Buffer.byteLength(cmdline);
  if (told.length > 0 && cmdlineBytes > MAX_COMMAND_LINE_BYTES) {
    const own = Buffer.byteLength(domain.cmdline);
    const message =
      `the command line of "${domain.name}" has ${own} bytes, and what it is told of its links ` +
      `takes ${cmdlineBytes - own}, wanted ${MAX_COMMAND_LINE_BYTES} at most`;
    const fix = "Shorten it, give links shorter names, or carry several streams over one link.";
    return refused("DOMB4012", places.cmdline, message, fix);
  }

  const linkMemory = linkMemoryOf(told);
  const linkBytes = linkMemory.reduce((sum, { start, end }) => sum + (end - start) * PAGE_SIZE, 0);
  const lowLinks = linkMemory.find(({ start }) => start * PAGE_SIZE < lowEnd);
  const lowBytes = Math.min(domain.memoryBytes, lowEnd - lowStart);
  const placed = placeAll(
    lowLinks === undefined ? lowBytes : lowLinks.start * PAGE_SIZE - lowStart,
  );
  if (placed === undefined) {
    const least = leastMemory();
    const message =
      `the memory of "${domain.name}", ${mebibytes(domain.memoryBytes)}, does not hold its kernel ` +
      `${domain.kernel}, which ends at ${mebibytes(kernelEnd * PAGE_SIZE - lowStart)}` +
      (ramdisk === undefined
        ? ""
        : `, with its ramdisk ${domain.ramdisk} of ${mebibytes(ramdisk.length)}`) +
      (linkBytes === 0 ? "" : `, beside its links, which take ${mebibytes(linkBytes)} of it`);
    const fix =
      least === undefined
        ? "Give a smaller ramdisk: no amount of memory below 4 GiB holds both."
        : `Give at least ${mebibytes(least)}.`;
    return refused("DOMB4001", place, message, fix);
  }
  const startInfo = placed.startOfDay * PAGE_SIZE;
  return {
    ok: true,
    value: {
      memory: platform.memoryRanges(domain.memoryBytes),
      kernel: pages,
      ramdisk: ramdisk === undefined ? undefined : { frame: placed.ramdisk, bytes: ramdisk },
      startOfDay: {
        frame: placed.startOfDay,
        bytes: platform.encodeStartOfDay(guest(placed.ramdisk), startInfo),
      },
      vcpuContexts: platform.encodeVcpuContexts(kernel.entry, startInfo, domain.vcpus),
      devices: platform.devices,
      sharedInterrupts: platform.sharedInterrupts(hasOutput(domain)),
    },
    diagnostics: [],
  };

  function guest(ramdiskFrame: number): ToldGuest {
    return {
      cmdline,
      linkMemory,
      memoryBytes: domain.memoryBytes,
      vcpus: domain.vcpus,
      hasOutput: hasOutput(domain),
      xen,
      ramdisk:
        ramdisk === undefined
          ? undefined
          : { address: ramdiskFrame * PAGE_SIZE, bytes: ramdisk.length },
    };
  }

  /** Frames of ramdisk and start of day in `lowBytes` of memory without links, if all fits. */
  function placeAll(lowBytes: number): { ramdisk: number; startOfDay: number } | undefined {
    const end = Math.floor((lowStart + lowBytes) / PAGE_SIZE);
    if (kernelEnd > end) return undefined;
    const used = [...platform.keptFree, ...kernelRanges];
    const ramdiskPages = pagesOf(ramdisk?.length ?? 0);
    const ramdiskFrame = firstFit(ramdiskPages, used, [kernelEnd, lowStart / PAGE_SIZE], end);
    if (ramdiskFrame === undefined) return undefined;
    used.push({ start: ramdiskFrame, end: ramdiskFrame + ramdiskPages });
    const pages = platform.startOfDayPages(guest(ramdiskFrame));
    const frame = firstFit(pages, used, [kernelEnd, lowStart / PAGE_SIZE], end);
    return frame === undefined ? undefined : { ramdisk: ramdiskFrame, startOfDay: frame };
  }

  /** The least memory in whole MiB, or above low memory about the least, in which all fits. */
  function leastMemory(): number | undefined {
    const step = 0x100000;
    const low = (lowEnd - lowStart) / step;
    const links = Math.ceil(linkBytes / step);
    let above = low;
    if (placeAll(above * step) === undefined) return undefined;
    let below = 0;
    while (above - below > 1) {
      const middle = Math.floor((above + below) / 2);
      if (placeAll(middle * step) === undefined) below = middle;
      else above = middle;
    }
    // What is more than low memory may be too little for a link, which then stays below.
    return (above + links <= low ? above + links : low + links) * step;
  }
}

function hasOutput({ output }: DomainDescription): boolean {
  return output === "xen-log";
}

function refused(code: GuestCode, place: Place, message: string, fix: string): Result<never> {
  return { ok: false, diagnostics: [guestRules.diagnose(code, { place, message, fix })] };
}

/** First of `pages` free frames from one of `starts` on; the next counts if there is no room. */
function firstFit(
  pages: number,
  used: readonly FrameRange[],
  starts: readonly number[],
  end: number,
): number | undefined {
  const sorted = [...used].sort((a, b) => a.start - b.start);
  for (const start of starts) {
    let frame = start;
    for (const range of sorted) {
      if (range.end <= frame) continue;
      if (frame + pages <= range.start) break;
      frame = range.end;
    }
    if (frame + pages <= end) return frame;
  }
  return undefined;
}

function mebibytes(bytes: number): string {
  const value = bytes / 0x100000;
  return Number.isInteger(value) ? `${value} MiB` : `${value.toFixed(2)} MiB`;
}

function hexadecimal(value: number): string {
  return `0x${value.toString(16)}`;
}
