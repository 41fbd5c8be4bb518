// SPDX-License-Identifier: Apache-2.0
// Reads an arm64 guest's device tree and its vCPU's context back. Any bytes are survived: what is
// not there is left out.

import { XEN_HVM_MEMMAP_TYPE_RAM, XEN_HVM_MEMMAP_TYPE_RESERVED } from "../../contract/xen-abi.js";
import {
  vcpu_guest_context_size,
  vcpu_guest_context_user_regs_pc64_offset,
  vcpu_guest_context_user_regs_x0_offset,
} from "../../contract/xen-abi-arm64.js";
import { decodeDeviceTree } from "../device-tree/decode.js";
import { baseName, type DeviceTreeNode, nodeAt } from "../device-tree/device-tree.js";
import { readRows, readText } from "../device-tree/values.js";
import type { MemoryRange } from "../guest/memory-ranges.js";
import type { ReadContext, ReadStartOfDay } from "./guest-start.js";

const NOTHING: ReadStartOfDay = { cmdline: undefined, memoryMap: [], ramdiskAddress: undefined };

/** Reads the device tree of a guest, wherever it has it. */
export function readStartOfDay(bytes: Uint8Array, _address: number): ReadStartOfDay {
  const tree = decodeDeviceTree(bytes, { name: "the device tree", place: {} });
  if (!tree.ok) return NOTHING;
  const { root } = tree.value;
  const chosen = nodeAt(root, "/chosen")?.properties;
  const cmdline = chosen?.get("bootargs");
  const ramdisk = chosen?.get("linux,initrd-start");
  const address = ramdisk && readRows(ramdisk, [2])?.[0]?.[0];
  return {
    cmdline: cmdline && readText(cmdline),
    ramdiskAddress: address === undefined ? undefined : Number(address),
    memoryMap: [
      ...rangesOf(
        root.children.filter((node) => baseName(node) === "memory"),
        XEN_HVM_MEMMAP_TYPE_RAM,
      ),
      ...rangesOf(nodeAt(root, "/reserved-memory")?.children ?? [], XEN_HVM_MEMMAP_TYPE_RESERVED),
    ],
  };
}

/** The ranges that nodes' `reg` names, of one type. */
function rangesOf(nodes: readonly DeviceTreeNode[], type: number): readonly MemoryRange[] {
  return nodes
    .flatMap(({ properties }) => readRows(properties.get("reg") ?? new Uint8Array(), [2, 2]) ?? [])
    .map(([start = 0n, size = 0n]) => ({ address: Number(start), bytes: Number(size), type }));
}

/** Reads a vcpu_guest_context (arch-arm.h). */
export function readContext(bytes: Uint8Array): ReadContext | undefined {
  if (bytes.length < vcpu_guest_context_size) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    entry: Number(view.getBigUint64(vcpu_guest_context_user_regs_pc64_offset, true)),
    startInfo: Number(view.getBigUint64(vcpu_guest_context_user_regs_x0_offset, true)),
  };
}
