// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PAGE_SIZE } from "../../contract/limits.js";
import { atOnce, type DomainDescription } from "../description/description.js";
import { readContext, readStartOfDay } from "../explain/x86-start.js";
import { layOutGuest } from "./guest.js";
import { type GuestKernel, guestKernel } from "./kernel-pages.js";
import type { Told } from "./told.js";
import { memoryMap, memoryRanges } from "./x86_64/memory-map.js";
import { x86Platform } from "./x86_64/platform.js";

const MIB = 0x100000;
const GIB = 0x40000000;

function domainOf(memoryBytes: number, cmdline = "quiet"): DomainDescription {
  return {
    name: "web",
    kernel: "/vmlinuz",
    ramdisk: "/initrd",
    cmdline,
    memoryBytes,
    vcpus: 1,
    type: "pvh",
    domid: 1,
    output: "none",
    onDeath: "leave",
    roles: [],
    recovery: false,
    ...atOnce,
  };
}

function kernelAt(address: number, memoryBytes: number): GuestKernel {
  const segments = [{ address, bytes: Buffer.from("code"), memoryBytes }];
  return guestKernel({ architecture: "x86_64", entry: address, segments });
}

const target = { platform: x86Platform, xen: "4.17" };
const places = { memory: { line: 7 }, vcpus: { line: 8 }, cmdline: { line: 9 } };

function layOut(
  memoryBytes: number,
  kernel: GuestKernel,
  ramdiskBytes: number,
  cmdline?: string,
  told: readonly Told[] = [],
) {
  const ramdisk = ramdiskBytes === 0 ? undefined : new Uint8Array(ramdiskBytes);
  return layOutGuest(domainOf(memoryBytes, cmdline), kernel, ramdisk, target, told, places);
}

describe("memoryRanges and memoryMap", () => {
  it("gives a guest of 64 MiB all its memory at the bottom", () => {
    expect(memoryRanges(64 * MIB)).toEqual([{ address: 0, bytes: 64 * MIB, type: 1 }]);
  });

  it("moves what does not fit below 0xf0000000 to 4 GiB, and tells where the start of day is", () => {
    expect(memoryMap(5 * GIB, { address: MIB, bytes: PAGE_SIZE })).toEqual([
      { address: 0, bytes: MIB, type: 1 },
      { address: MIB, bytes: PAGE_SIZE, type: 3 },
      { address: MIB + PAGE_SIZE, bytes: 0xf0000000 - MIB - PAGE_SIZE, type: 1 },
      { address: 0xfc000000, bytes: 0x4000000, type: 2 },
      { address: 4 * GIB, bytes: 5 * GIB - 0xf0000000, type: 1 },
    ]);
  });

  it("tells of all memory, whatever the size and wherever the start of day", () => {
    const places = fc.record({
      pages: fc.integer({ min: 3, max: 0x10000000 }),
      place: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(places, ({ pages, place }) => {
        const lowPages = Math.min(pages, 0xf0000);
        const address = (1 + Math.floor(place * (lowPages - 2))) * PAGE_SIZE;
        const map = memoryMap(pages * PAGE_SIZE, { address, bytes: PAGE_SIZE });
        const memory = map.filter(({ type }) => type !== 2);
        const ends = map.map((range) => range.address + range.bytes);
        return (
          memory.reduce((total, { bytes }) => total + bytes, 0) === pages * PAGE_SIZE &&
          map.every((range, index) => index === 0 || (ends[index - 1] ?? 0) <= range.address)
        );
      }),
    );
  });

  it("gives exactly the memory asked for, whatever the size", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 0x10000000 }), (pages) => {
        const sum = memoryRanges(pages * PAGE_SIZE).reduce((total, { bytes }) => total + bytes, 0);
        return sum === pages * PAGE_SIZE;
      }),
    );
  });
});

describe("layOutGuest", () => {
  it("puts ramdisk and start of day behind the kernel", () => {
    const result = layOut(64 * MIB, kernelAt(16 * MIB, 3 * MIB), 5000);
    expect(result.ok && result.value.ramdisk?.frame).toBe((19 * MIB) / PAGE_SIZE);
    expect(result.ok && result.value.startOfDay.frame).toBe((19 * MIB) / PAGE_SIZE + 2);
  });

  it("puts them below the kernel when there is no room behind it", () => {
    const result = layOut(20 * MIB, kernelAt(16 * MIB, 4 * MIB), 2 * MIB);
    expect(result.ok && result.value.ramdisk?.frame).toBe(0x100);
    expect(result.ok && result.value.startOfDay.frame).toBe(1);
  });

  it("tells the guest where its command line, memory map and ramdisk are", () => {
    const result = layOut(5 * GIB, kernelAt(MIB, MIB), 5000, "root=/dev/zero ünïcode");
    if (!result.ok) throw new Error("bug: no layout");
    const { startOfDay, vcpuContexts } = result.value;
    const address = startOfDay.frame * PAGE_SIZE;
    const told = readStartOfDay(startOfDay.bytes, address);
    expect(told.cmdline).toBe("root=/dev/zero ünïcode");
    expect(told.memoryMap).toEqual(memoryMap(5 * GIB, { address, bytes: PAGE_SIZE }));
    expect(readContext(vcpuContexts.at(-1) ?? new Uint8Array())).toEqual({
      entry: MIB,
      startInfo: address,
    });
    // struct hvm_start_info: magic, version, flags, nr_modules, modlist_paddr, ..., rsdp_paddr.
    const view = new DataView(startOfDay.bytes.buffer);
    const root = Number(view.getBigUint64(32, true)) - address;
    expect(root % 16).toBe(0);
    expect(Buffer.from(startOfDay.bytes).toString("latin1", root, root + 8)).toBe("RSD PTR ");
    expect(view.getUint32(0, true)).toBe(0x336ec578);
    expect(view.getUint32(4, true)).toBe(1);
    expect(view.getUint32(12, true)).toBe(1);
    const modules = Number(view.getBigUint64(16, true)) - address;
    expect(Number(view.getBigUint64(modules, true))).toBe(2 * MIB);
    expect(Number(view.getBigUint64(modules + 8, true))).toBe(5000);
  });

  it("tells a guest without ramdisk of no module", () => {
    const result = layOut(64 * MIB, kernelAt(MIB, MIB), 0);
    if (!result.ok) throw new Error("bug: no layout");
    expect(result.value.ramdisk).toBeUndefined();
    const view = new DataView(result.value.startOfDay.bytes.buffer);
    expect(view.getUint32(12, true)).toBe(0);
    expect(view.getBigUint64(16, true)).toBe(0n);
  });

  it("gives a start of day with the longest command line as many pages as it needs", () => {
    const result = layOut(64 * MIB, kernelAt(MIB, MIB), 0, "x".repeat(5000));
    expect(result.ok && result.value.startOfDay.bytes.length).toBe(2 * PAGE_SIZE);
  });

  it("says how much memory would do when kernel and ramdisk do not fit", () => {
    const kernel = kernelAt(16 * MIB, 46 * MIB);
    const result = layOut(32 * MIB, kernel, MIB);
    expect(result.diagnostics).toEqual([
      {
        code: "DOMB4001",
        severity: "error",
        place: { line: 7 },
        message:
          'the memory of "web", 32 MiB, does not hold its kernel /vmlinuz, which ends at 62 MiB, ' +
          "with its ramdisk /initrd of 1 MiB",
        fix: "Give at least 62 MiB.",
        related: [],
      },
    ]);
    expect(layOut(62 * MIB, kernel, MIB).ok).toBe(true);
    expect(layOut(61 * MIB, kernel, MIB).ok).toBe(false);
  });

  it("counts the memory of its links, which the rest must leave room for", () => {
    const ring = (memory: number, bytes: number): Told => {
      const pages = bytes / PAGE_SIZE;
      return {
        kind: "own",
        link: "ring",
        frame: memory / PAGE_SIZE - pages,
        pages,
        reference: 9,
        domid: 1,
      };
    };
    const kernel = kernelAt(16 * MIB, 46 * MIB);
    const layOutWith = (memory: number) =>
      layOut(memory, kernel, MIB, "quiet", [ring(memory, 5 * MIB)]);
    const refused = layOutWith(66 * MIB);
    expect(refused.diagnostics).toMatchObject([
      {
        code: "DOMB4001",
        message:
          'the memory of "web", 66 MiB, does not hold its kernel /vmlinuz, which ends at 62 MiB, ' +
          "with its ramdisk /initrd of 1 MiB, beside its links, which take 5 MiB of it",
        fix: "Give at least 67 MiB.",
      },
    ]);
    expect(layOutWith(67 * MIB).ok).toBe(true);
  });

  it("refuses a command line that has no room for what the domain is told", () => {
    const bell = { kind: "open", link: "bell", peer: 2, port: 1 } as const;
    const bells = Array.from({ length: 80 }, () => bell);
    const told = 80 * " domb.link.bell=open:2:1".length;
    const own = "x".repeat(2047 - told);
    expect(layOut(64 * MIB, kernelAt(MIB, MIB), 0, own, bells).ok).toBe(true);
    expect(layOut(64 * MIB, kernelAt(MIB, MIB), 0, `${own}x`, bells).diagnostics).toMatchObject([
      {
        code: "DOMB4012",
        place: { line: 9 },
        message: `the command line of "web" has ${own.length + 1} bytes, and what it is told of its links takes ${told}, wanted 2047 at most`,
      },
    ]);
  });

  it("refuses a kernel in the hole below 4 GiB, whatever the memory", () => {
    const result = layOut(8 * GIB, kernelAt(0xff000000, PAGE_SIZE), 0);
    expect(result.diagnostics.map(({ code }) => code)).toEqual(["DOMB4002"]);
  });

  it("never lets two things share a page, nor leaves the guest's low memory", () => {
    const sizes = fc.record({
      memory: fc.integer({ min: 1, max: 0x40000 }),
      start: fc.integer({ min: 0, max: 0x20000000 }),
      kernelBytes: fc.integer({ min: 1, max: 0x400000 }),
      ramdiskBytes: fc.integer({ min: 0, max: 0x400000 }),
    });
    fc.assert(
      fc.property(sizes, ({ memory, start, kernelBytes, ramdiskBytes }) => {
        const result = layOut(memory * PAGE_SIZE, kernelAt(start, kernelBytes), ramdiskBytes);
        if (!result.ok) return result.diagnostics.length === 1;
        const { kernel, ramdisk, startOfDay } = result.value;
        const frames = [
          ...kernel.map(({ frame }) => frame),
          ...[ramdisk, startOfDay].flatMap((placed) =>
            placed === undefined
              ? []
              : Array.from(
                  { length: Math.ceil(placed.bytes.length / PAGE_SIZE) },
                  (_, index) => placed.frame + index,
                ),
          ),
        ];
        const video = frames.filter((frame) => frame >= 0xa0 && frame < 0x100);
        return (
          new Set(frames).size === frames.length &&
          Math.max(...frames) < memory &&
          (start < MIB || video.length === 0) &&
          startOfDay.frame > 0
        );
      }),
      { numRuns: 200 },
    );
  });
});
