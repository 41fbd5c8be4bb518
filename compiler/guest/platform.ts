// SPDX-License-Identifier: Apache-2.0
// What differs between the architectures in the layout of a guest: where its memory is, what it is
// told when it starts, in which state its vCPU 0 starts.

import type { MemoryRange } from "./memory-ranges.js";

/** Versions of the interrupt controller that Xen gives a domain on arm64. */
export type GicVersion = 2 | 3;

/** What the guests' device trees have of the board that they run on. */
export interface GuestBoard {
  readonly gic: GicVersion;
  /** Ticks of the timer per second, on boards whose firmware does not set them; undefined: it does. */
  readonly timerHertz: number | undefined;
}

/** What a guest is told when it starts. */
export interface ToldGuest {
  /** UTF-8, without its zero byte. */
  readonly cmdline: string;
  readonly memoryBytes: number;
  /** What of its memory is its links', and not its kernel's: ends of its ranges of memory. */
  readonly linkMemory: readonly FrameRange[];
  readonly vcpus: number;
  readonly ramdisk: { readonly address: number; readonly bytes: number } | undefined;
  /** May it write to Xen's log. */
  readonly hasOutput: boolean;
  /** Version of the Xen below it, as in "4.17". */
  readonly xen: string;
}

/** Frames from `start` up to, but not including, `end`. */
export interface FrameRange {
  readonly start: number;
  readonly end: number;
}

export interface Platform {
  /** Bytes of the guest physical addresses in which kernel, ramdisk and start of day may lie. */
  readonly lowMemory: { readonly start: number; readonly end: number };
  /** Frames of memory that are never given to ramdisk or start of day. */
  readonly keptFree: readonly FrameRange[];
  /** The most memory that a guest may have, bytes. */
  readonly mostMemoryBytes: number;
  /** The most vCPUs that a guest may have, and why no more. */
  readonly mostVcpus: { readonly count: number; readonly why: string };
  /** DomainRecord.devices of contract/image.ts. */
  readonly devices: number;
  /** DomainRecord.sharedInterrupts of a guest with these rights. */
  sharedInterrupts(hasOutput: boolean): number;
  /** The guest's memory, by ascending address, for `memoryBytes` in whole pages. */
  memoryRanges(memoryBytes: number): readonly MemoryRange[];
  /** Pages that the start of day takes; its place does not matter. */
  startOfDayPages(guest: ToldGuest): number;
  /** The start of day for a guest that has it at `address`. */
  encodeStartOfDay(guest: ToldGuest, address: number): Uint8Array;
  /**
   * The contexts of so many vCPUs. In the last one is vCPU 0, which starts at `entry` and is told of the
   * start of day's address.
   */
  encodeVcpuContexts(entry: number, startOfDay: number, vcpus: number): readonly Uint8Array[];
}
