// SPDX-License-Identifier: Apache-2.0
// Lays out one domain: where its memory is, where kernel, ramdisk and start of day lie in it, and
// how its vCPU starts. The kernel stays where it was linked; the rest goes behind it, or below it.

import { PAGE_SIZE } from "../../contract/limits.js";
import type { DomainDescription } from "../description/description.js";
import type { Place, Result } from "../diagnostics/diagnostic.js";
import type { GuestKernel, GuestPage } from "./kernel-pages.js";
import { LOW_MEMORY_END, type MemoryRange, memoryRanges, pagesOf } from "./memory-map.js";
import { guestRules } from "./rules.js";
import { encodeStartOfDay, startOfDayPages } from "./start-of-day.js";
import { encodeVcpuContext } from "./vcpu-context.js";

/** Whole pages of a guest with a file's bytes; what lies behind them in the last page is zero. */
export interface PlacedBytes {
  readonly frame: number;
  readonly bytes: Uint8Array;
}

export interface Guest {
  readonly memory: readonly MemoryRange[];
  /** Every page that the kernel relies on, by ascending frame. */
  readonly kernel: readonly GuestPage[];
  readonly ramdisk: PlacedBytes | undefined;
  readonly startOfDay: PlacedBytes;
  /** HVM save records for vCPU 0. */
  readonly vcpuContext: Uint8Array;
}

/** Frames from `start` up to, but not including, `end`. */
interface FrameRange {
  readonly start: number;
  readonly end: number;
}

/** Never given to ramdisk or start of day: page 0, and what a PC has video memory and BIOS in. */
const KEPT_FREE: readonly FrameRange[] = [
  { start: 0, end: 1 },
  { start: 0xa0, end: 0x100 },
];

/** Lays out a domain; `place` is where the description gives its memory. */
export function layOutGuest(
  domain: DomainDescription,
  { kernel, pages }: GuestKernel,
  ramdisk: Uint8Array | undefined,
  place: Place,
): Result<Guest> {
  const kernelRanges = kernel.segments.map(({ address, memoryBytes }) => ({
    start: Math.floor(address / PAGE_SIZE),
    end: pagesOf(address + memoryBytes),
  }));
  const kernelEnd = Math.max(...kernelRanges.map(({ end }) => end));
  if (kernelEnd * PAGE_SIZE > LOW_MEMORY_END) {
    const message =
      `the kernel of "${domain.name}" (${domain.kernel}) reaches to guest address ` +
      `0x${(kernelEnd * PAGE_SIZE).toString(16)}, wanted 0x${LOW_MEMORY_END.toString(16)} at most`;
    const fix = "Link the kernel at lower physical addresses.";
    return { ok: false, diagnostics: [guestRules.diagnose("DOMB4002", { place, message, fix })] };
  }

  const placed = placeAll(Math.min(domain.memoryBytes, LOW_MEMORY_END));
  if (placed === undefined) {
    const least = leastMemory();
    const message =
      `the memory of "${domain.name}", ${mebibytes(domain.memoryBytes)}, does not hold its kernel ` +
      `${domain.kernel}, which ends at ${mebibytes(kernelEnd * PAGE_SIZE)}` +
      (ramdisk === undefined
        ? ""
        : `, with its ramdisk ${domain.ramdisk} of ${mebibytes(ramdisk.length)}`);
    const fix =
      least === undefined
        ? "Give a smaller ramdisk: no amount of memory below 4 GiB holds both."
        : `Give at least ${mebibytes(least)}.`;
    return { ok: false, diagnostics: [guestRules.diagnose("DOMB4001", { place, message, fix })] };
  }
  const startInfo = placed.startOfDay * PAGE_SIZE;
  return {
    ok: true,
    value: {
      memory: memoryRanges(domain.memoryBytes),
      kernel: pages,
      ramdisk: ramdisk === undefined ? undefined : { frame: placed.ramdisk, bytes: ramdisk },
      startOfDay: {
        frame: placed.startOfDay,
        bytes: encodeStartOfDay(startOfDay(placed.ramdisk), startInfo),
      },
      vcpuContext: encodeVcpuContext(kernel.entry, startInfo),
    },
    diagnostics: [],
  };

  function startOfDay(ramdiskFrame: number) {
    return {
      cmdline: domain.cmdline,
      memoryBytes: domain.memoryBytes,
      ramdisk:
        ramdisk === undefined
          ? undefined
          : { address: ramdiskFrame * PAGE_SIZE, bytes: ramdisk.length },
    };
  }

  /** Frames of ramdisk and start of day in `lowBytes` of memory, if all fits. */
  function placeAll(lowBytes: number): { ramdisk: number; startOfDay: number } | undefined {
    const end = Math.floor(lowBytes / PAGE_SIZE);
    if (kernelEnd > end) return undefined;
    const used = [...KEPT_FREE, ...kernelRanges];
    const ramdiskPages = pagesOf(ramdisk?.length ?? 0);
    const ramdiskFrame = firstFit(ramdiskPages, used, kernelEnd, end);
    if (ramdiskFrame === undefined) return undefined;
    used.push({ start: ramdiskFrame, end: ramdiskFrame + ramdiskPages });
    const frame = firstFit(startOfDayPages(startOfDay(ramdiskFrame)), used, kernelEnd, end);
    return frame === undefined ? undefined : { ramdisk: ramdiskFrame, startOfDay: frame };
  }

  /** The least low memory in whole MiB in which all fits. */
  function leastMemory(): number | undefined {
    const step = 0x100000;
    let above = LOW_MEMORY_END / step;
    if (placeAll(above * step) === undefined) return undefined;
    let below = 0;
    while (above - below > 1) {
      const middle = Math.floor((above + below) / 2);
      if (placeAll(middle * step) === undefined) below = middle;
      else above = middle;
    }
    return above * step;
  }
}

/** First of `pages` free frames, from `from` on or, if there is no room, from the bottom on. */
function firstFit(
  pages: number,
  used: readonly FrameRange[],
  from: number,
  end: number,
): number | undefined {
  const sorted = [...used].sort((a, b) => a.start - b.start);
  for (const start of [from, 0]) {
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
