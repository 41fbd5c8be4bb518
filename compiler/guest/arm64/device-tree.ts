// SPDX-License-Identifier: Apache-2.0
// The device tree of a guest on arm64: its memory, vCPUs, interrupt controller, timer, hypervisor,
// output, and what /chosen tells; what of its memory is its links'. All of it is what Xen gives every such domain, at the addresses
// of xen/include/public/arch-arm.h; of the board it has the GIC's version, and the timer's frequency
// where a board's own tree has to tell that.

import { PAGE_SIZE } from "../../../contract/limits.js";
import {
  GUEST_EVTCHN_PPI,
  GUEST_GICC_BASE,
  GUEST_GICC_SIZE,
  GUEST_GICD_BASE,
  GUEST_GICD_SIZE,
  GUEST_GICV3_GICD_BASE,
  GUEST_GICV3_GICD_SIZE,
  GUEST_GICV3_GICR0_BASE,
  GUEST_GICV3_GICR0_SIZE,
  GUEST_GNTTAB_BASE,
  GUEST_GNTTAB_SIZE,
  GUEST_PL011_BASE,
  GUEST_PL011_SIZE,
  GUEST_TIMER_PHYS_NS_PPI,
  GUEST_TIMER_PHYS_S_PPI,
  GUEST_TIMER_VIRT_PPI,
  GUEST_VPL011_SPI,
} from "../../../contract/xen-abi-arm64.js";
import type { DeviceTreeNode } from "../../device-tree/device-tree.js";
import { encodeDeviceTree } from "../../device-tree/encode.js";
import { cells, cells64, texts } from "../../device-tree/values.js";
import { pagesOf } from "../memory-ranges.js";
import type { GuestBoard, ToldGuest } from "../platform.js";
import { memoryRanges } from "./memory-map.js";

/** The one phandle of the tree: the interrupt controller's. */
const GIC_PHANDLE = 1;
/** Interrupts as the GIC's binding has them: kind, number within the kind, trigger. */
const SHARED = 0;
const PRIVATE = 1;
const FIRST_SHARED = 32;
const FIRST_PRIVATE = 16;
const LEVEL_HIGH = 4;
const LEVEL_LOW = 8;
/** A private interrupt goes to any of the first four CPUs of a GICv2; a GICv3 takes no notice. */
const ANY_CPU = 0xf00;
/** vCPUs of one cluster: how Xen makes a vCPU's MPIDR (vcpuid_to_vaffinity(), asm-arm/vreg.h). */
const CLUSTER = 16;

/** Pages that the tree takes: its numbers have the same size whatever they are. */
export function deviceTreePages(guest: ToldGuest, board: GuestBoard): number {
  return pagesOf(encodeGuestTree(guest, board).length);
}

/** The flattened tree. */
export function encodeGuestTree(guest: ToldGuest, { gic, timerHertz }: GuestBoard): Uint8Array {
  const { memoryBytes, vcpus, hasOutput, xen } = guest;
  const controller = gic === 3 ? gicV3() : gicV2();
  const uart = node(`uart@${hexadecimal(GUEST_PL011_BASE)}`, {
    compatible: texts("arm,sbsa-uart"),
    reg: cells64(GUEST_PL011_BASE, GUEST_PL011_SIZE),
    interrupts: cells(SHARED, GUEST_VPL011_SPI - FIRST_SHARED, LEVEL_HIGH),
    "current-speed": cells(115200),
  });
  const root = node(
    "",
    {
      "#address-cells": cells(2),
      "#size-cells": cells(2),
      compatible: texts(`xen,xenvm-${xen}`, "xen,xenvm"),
      model: texts("Xen virtual machine"),
      "interrupt-parent": cells(GIC_PHANDLE),
    },
    [
      chosen(guest, hasOutput ? `/${uart.name}` : undefined),
      ...memoryRanges(memoryBytes).map(({ address, bytes }) =>
        node(`memory@${hexadecimal(address)}`, {
          device_type: texts("memory"),
          reg: cells64(address, bytes),
        }),
      ),
      ...reservedMemory(guest),
      node(
        "cpus",
        { "#address-cells": cells(1), "#size-cells": cells(0) },
        Array.from({ length: vcpus }, (_, vcpu) => cpu(vcpu)),
      ),
      node("psci", {
        compatible: texts("arm,psci-1.0", "arm,psci-0.2"),
        method: texts("hvc"),
      }),
      controller,
      node("timer", {
        compatible: texts("arm,armv8-timer"),
        interrupts: cells(
          ...privateInterrupt(GUEST_TIMER_PHYS_S_PPI),
          ...privateInterrupt(GUEST_TIMER_PHYS_NS_PPI),
          ...privateInterrupt(GUEST_TIMER_VIRT_PPI),
        ),
        ...(timerHertz === undefined ? {} : { "clock-frequency": cells(timerHertz) }),
      }),
      node("hypervisor", {
        compatible: texts(`xen,xen-${xen}`, "xen,xen"),
        reg: cells64(GUEST_GNTTAB_BASE, GUEST_GNTTAB_SIZE),
        interrupts: cells(...privateInterrupt(GUEST_EVTCHN_PPI)),
      }),
      ...(hasOutput ? [uart] : []),
    ],
  );
  return encodeDeviceTree({ bootCpu: 0, reservations: [], root });
}

function node(
  name: string,
  properties: Readonly<Record<string, Uint8Array>>,
  children: readonly DeviceTreeNode[] = [],
): DeviceTreeNode {
  return { name, properties: new Map(Object.entries(properties)), children };
}

function chosen({ cmdline, ramdisk }: ToldGuest, output: string | undefined): DeviceTreeNode {
  return node("chosen", {
    bootargs: texts(cmdline),
    ...(output === undefined ? {} : { "stdout-path": texts(output) }),
    ...(ramdisk === undefined
      ? {}
      : {
          "linux,initrd-start": cells64(ramdisk.address),
          "linux,initrd-end": cells64(ramdisk.address + ramdisk.bytes),
        }),
  });
}

/** What of its memory its kernel must leave alone, and not map. */
function reservedMemory({ linkMemory }: ToldGuest): readonly DeviceTreeNode[] {
  if (linkMemory.length === 0) return [];
  const ranges = linkMemory.map(({ start, end }) =>
    node(`links@${hexadecimal(start * PAGE_SIZE)}`, {
      reg: cells64(start * PAGE_SIZE, (end - start) * PAGE_SIZE),
      "no-map": new Uint8Array(),
    }),
  );
  const cellCounts = { "#address-cells": cells(2), "#size-cells": cells(2) };
  return [node("reserved-memory", { ...cellCounts, ranges: new Uint8Array() }, ranges)];
}

function cpu(vcpu: number): DeviceTreeNode {
  const affinity = (Math.floor(vcpu / CLUSTER) << 8) | (vcpu % CLUSTER);
  return node(`cpu@${hexadecimal(affinity)}`, {
    device_type: texts("cpu"),
    compatible: texts("arm,armv8"),
    reg: cells(affinity),
    "enable-method": texts("psci"),
  });
}

function gicV3(): DeviceTreeNode {
  return gicNode("arm,gic-v3", [
    ...[GUEST_GICV3_GICD_BASE, GUEST_GICV3_GICD_SIZE],
    ...[GUEST_GICV3_GICR0_BASE, GUEST_GICV3_GICR0_SIZE],
  ]);
}

function gicV2(): DeviceTreeNode {
  return gicNode("arm,gic-400", [
    ...[GUEST_GICD_BASE, GUEST_GICD_SIZE],
    ...[GUEST_GICC_BASE, GUEST_GICC_SIZE],
  ]);
}

function gicNode(compatible: string, reg: readonly number[]): DeviceTreeNode {
  const [distributor = 0] = reg;
  return node(`interrupt-controller@${hexadecimal(distributor)}`, {
    compatible: texts(compatible),
    "#interrupt-cells": cells(3),
    "#address-cells": cells(0),
    "interrupt-controller": new Uint8Array(),
    reg: cells64(...reg),
    phandle: cells(GIC_PHANDLE),
  });
}

function privateInterrupt(interrupt: number): readonly number[] {
  return [PRIVATE, interrupt - FIRST_PRIVATE, ANY_CPU | LEVEL_LOW];
}

function hexadecimal(value: number): string {
  return value.toString(16);
}
