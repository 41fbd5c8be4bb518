// SPDX-License-Identifier: Apache-2.0
// A guest on arm64 as a whole: layout, device tree, the state of vCPU 0.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PAGE_SIZE } from "../../../contract/limits.js";
import * as abi from "../../../contract/xen-abi-arm64.js";
import { atOnce, type DomainDescription } from "../../description/description.js";
import { decodeDeviceTree } from "../../device-tree/decode.js";
import { type DeviceTreeNode, nodeAt } from "../../device-tree/device-tree.js";
import { readCells, readRows, readText, readTexts } from "../../device-tree/values.js";
import { readContext, readStartOfDay } from "../../explain/arm64-start.js";
import { layOutGuest } from "../guest.js";
import { guestKernel } from "../kernel-pages.js";
import type { GicVersion, ToldGuest } from "../platform.js";
import { encodeGuestTree } from "./device-tree.js";
import { memoryRanges } from "./memory-map.js";
import { arm64Platform } from "./platform.js";

const MIB = 0x100000;

const told: ToldGuest = {
  cmdline: "console=ttyAMA0",
  memoryBytes: 64 * MIB,
  linkMemory: [],
  vcpus: 1,
  ramdisk: { address: 0x42000000, bytes: 5 },
  hasOutput: true,
  xen: "4.17",
};

function treeOf(
  guest: Partial<ToldGuest>,
  gic: GicVersion = 3,
  timerHertz?: number,
): DeviceTreeNode {
  const bytes = encodeGuestTree({ ...told, ...guest }, { gic, timerHertz });
  const tree = decodeDeviceTree(bytes, { name: "guest", place: {} });
  if (!tree.ok) throw new Error(tree.diagnostics[0]?.message);
  return tree.value.root;
}

function property(root: DeviceTreeNode, path: string, name: string): Uint8Array {
  return nodeAt(root, path)?.properties.get(name) ?? new Uint8Array();
}

function laidOut(domain: Partial<DomainDescription>, ramdiskBytes = 0) {
  const whole: DomainDescription = {
    ...{
      name: "web",
      kernel: "/Image",
      ramdisk: "/initrd",
      cmdline: "quiet",
      memoryBytes: 64 * MIB,
    },
    ...{ vcpus: 1, type: "pvh", domid: 1, output: "none", onDeath: "leave", roles: [] },
    recovery: false,
    ...atOnce,
    ...domain,
  };
  const address = abi.GUEST_RAM0_BASE + 0x80000;
  const segments = [{ address, bytes: Buffer.from("code"), memoryBytes: 16 * MIB }];
  const kernel = guestKernel({ architecture: "arm64", entry: address, segments });
  const ramdisk = ramdiskBytes === 0 ? undefined : new Uint8Array(ramdiskBytes);
  const places = { memory: { line: 7 }, vcpus: { line: 8 }, cmdline: { line: 9 } };
  return layOutGuest(
    whole,
    kernel,
    ramdisk,
    { platform: arm64Platform({ gic: 2, timerHertz: undefined }), xen: "4.17" },
    [],
    places,
  );
}

describe("the device tree of a guest on arm64", () => {
  it("tells command line, ramdisk, memory and output [RFC-ALIKE]", () => {
    const root = treeOf({});
    expect(readText(property(root, "/chosen", "bootargs"))).toBe("console=ttyAMA0");
    expect(readRows(property(root, "/chosen", "linux,initrd-start"), [2])).toEqual([[0x42000000n]]);
    expect(readRows(property(root, "/chosen", "linux,initrd-end"), [2])).toEqual([[0x42000005n]]);
    expect(readText(property(root, "/chosen", "stdout-path"))).toBe("/uart@22000000");
    expect(readRows(property(root, "/memory@40000000", "reg"), [2, 2])).toEqual([
      [BigInt(abi.GUEST_RAM0_BASE), BigInt(64 * MIB)],
    ]);
    expect(readCells(property(root, "/uart@22000000", "interrupts"))).toEqual([0, 0, 4]);
  });

  it("reserves the memory of its links, so that no kernel maps it", () => {
    expect(nodeAt(treeOf({}), "/reserved-memory")).toBeUndefined();
    const root = treeOf({ linkMemory: [{ start: 0x43ff0, end: 0x44000 }] });
    expect(property(root, "/reserved-memory", "ranges")).toHaveLength(0);
    const [links] = nodeAt(root, "/reserved-memory")?.children ?? [];
    expect(links?.name).toBe("links@43ff0000");
    expect(links?.properties.has("no-map")).toBe(true);
    expect(readRows(property(root, "/reserved-memory/links", "reg"), [2, 2])).toEqual([
      [0x43ff0000n, 0x10000n],
    ]);
  });

  it("has no UART, and no output named, for a guest that may not write to Xen's log", () => {
    const root = treeOf({ hasOutput: false });
    expect(nodeAt(root, "/uart")).toBeUndefined();
    expect(nodeAt(root, "/chosen")?.properties.has("stdout-path")).toBe(false);
  });

  it("numbers vCPUs as Xen does, sixteen to a cluster, each started by PSCI", () => {
    const root = treeOf({ vcpus: 18 });
    const cpus = nodeAt(root, "/cpus")?.children ?? [];
    const numbers = cpus.map(
      (cpu) => readCells(cpu.properties.get("reg") ?? new Uint8Array())?.[0],
    );
    expect(numbers).toEqual([...Array.from({ length: 16 }, (_, cpu) => cpu), 0x100, 0x101]);
    expect(cpus.every(({ properties }) => properties.has("enable-method"))).toBe(true);
    expect(readText(property(root, "/psci", "method"))).toBe("hvc");
  });

  it.each<[GicVersion, string]>([
    [2, "arm,gic-400"],
    [3, "arm,gic-v3"],
  ])("has a GICv%i if the board has one", (gic, compatible) => {
    const root = treeOf({}, gic);
    expect(readTexts(property(root, "/interrupt-controller", "compatible"))).toEqual([compatible]);
  });

  it("tells the timer's frequency where the board's tree has to", () => {
    expect(nodeAt(treeOf({}), "/timer")?.properties.has("clock-frequency")).toBe(false);
    const told = property(treeOf({}, 3, 8_000_000), "/timer", "clock-frequency");
    expect(readCells(told)).toEqual([8_000_000]);
  });

  it("takes room that does not depend on where things lie", () => {
    const board = { gic: 3, timerHertz: undefined } as const;
    const near = encodeGuestTree(told, board);
    const far = encodeGuestTree(
      { ...told, ramdisk: { address: 0xf0000000, bytes: 0xfffffff } },
      board,
    );
    expect(far.length).toBe(near.length);
  });
});

describe("a guest on arm64", () => {
  it("gets exactly the memory asked for, in the banks that Xen has, whatever the size", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 0xff00000 }), (pages) => {
        const ranges = memoryRanges(pages * PAGE_SIZE);
        const total = ranges.reduce((sum, { bytes }) => sum + bytes, 0);
        const [low, high] = ranges;
        return (
          total === pages * PAGE_SIZE &&
          low?.address === abi.GUEST_RAM0_BASE &&
          low.bytes <= abi.GUEST_RAM0_SIZE &&
          (high === undefined || high.address === abi.GUEST_RAM1_BASE)
        );
      }),
    );
  });

  it("finds its device tree where x0 says, behind kernel and ramdisk", () => {
    const guest = laidOut({}, 3 * MIB);
    if (!guest.ok) throw new Error(guest.diagnostics[0]?.message);
    const { startOfDay, ramdisk, vcpuContexts } = guest.value;
    expect(readContext(vcpuContexts.at(-1) ?? new Uint8Array())).toEqual({
      entry: abi.GUEST_RAM0_BASE + 0x80000,
      startInfo: startOfDay.frame * PAGE_SIZE,
    });
    expect((ramdisk?.frame ?? 0) * PAGE_SIZE).toBe(abi.GUEST_RAM0_BASE + 0x80000 + 16 * MIB);
    const read = readStartOfDay(startOfDay.bytes, startOfDay.frame * PAGE_SIZE);
    expect(read.cmdline).toBe("quiet");
    expect(read.ramdiskAddress).toBe((ramdisk?.frame ?? 0) * PAGE_SIZE);
  });

  it("is refused when its memory does not hold it, with the memory that would", () => {
    const guest = laidOut({ memoryBytes: 16 * MIB });
    expect(guest.diagnostics[0]).toMatchObject({ code: "DOMB4001", fix: "Give at least 17 MiB." });
  });

  it("is refused more vCPUs than the board's GIC serves", () => {
    expect(laidOut({ vcpus: 9 }).diagnostics[0]).toMatchObject({
      code: "DOMB4003",
      place: { line: 8 },
      fix: "Give it 8 or fewer.",
    });
  });
});
