// SPDX-License-Identifier: Apache-2.0
// A guest's memory as the operations of its plan leave it: what lies where.

import { PAGE_SIZE } from "../../contract/limits.js";
import { XEN_HVM_MEMMAP_TYPE_RESERVED } from "../../contract/xen-abi.js";
import type { MemoryRange } from "../guest/memory-ranges.js";
import type { Plan, PlanOperation } from "../plan/plan.js";

export interface GuestRegion {
  /** Guest physical address, bytes. */
  readonly address: number;
  readonly bytes: number;
  /** What lies there; "free" is memory that the guest must not rely on. */
  readonly what:
    | "kernel"
    | "ramdisk"
    | "startOfDay"
    | "vcpuContext"
    | "zeros"
    | "linkMemory"
    | "free"
    | "reserved";
  /** How many of these bytes the boot domain clears. */
  readonly clearedBytes: number;
}

type Region = GuestRegion;

/** The guest's regions by ascending address; `told` is the memory map that the guest is told. */
export function guestMemory(
  plan: Plan,
  operations: readonly PlanOperation[],
  told: readonly MemoryRange[],
): readonly GuestRegion[] {
  const memory = operations.flatMap((operation) => {
    if (operation.kind !== "populate") return [];
    const { frame, count, order } = operation;
    return [{ address: frame * PAGE_SIZE, bytes: count * 2 ** order * PAGE_SIZE }];
  });
  const reserved = told.filter(({ type }) => type === XEN_HVM_MEMMAP_TYPE_RESERVED);
  // What it has, and yet must leave alone, is its links'.
  const isLinks = (range: MemoryRange): boolean => memory.some((one) => overlap(one, range));
  const filled = operations.flatMap((operation) => filledBy(plan, operation));
  const links = reserved.filter(isLinks).map(({ address, bytes }) => {
    const clears = filled.filter((one) => overlap(one, { address, bytes }));
    const clearedBytes = clears.reduce((sum, one) => sum + one.clearedBytes, 0);
    return { ...region(address, bytes, "linkMemory"), clearedBytes };
  });
  const others = filled.filter((one) => !links.some((range) => overlap(one, range)));
  const used = [...mergeFilled(others), ...links].sort((a, b) => a.address - b.address);
  const absent = reserved.filter((range) => !isLinks(range));
  return [
    ...used,
    ...free(memory, used),
    ...absent.map(({ address, bytes }) => region(address, bytes, "reserved")),
  ].sort((a, b) => a.address - b.address);
}

/** Bytes of guest physical addresses. */
type Range = Pick<MemoryRange, "address" | "bytes">;

function overlap(one: Range, other: Range): boolean {
  return one.address < other.address + other.bytes && other.address < one.address + one.bytes;
}

function filledBy(plan: Plan, operation: PlanOperation): readonly Region[] {
  if (operation.kind !== "copy" && operation.kind !== "clear") return [];
  const address = operation.frame * PAGE_SIZE;
  const bytes = operation.count * PAGE_SIZE;
  if (operation.kind === "clear")
    return [{ ...region(address, bytes, "zeros"), clearedBytes: bytes }];
  const kind = plan.materials[operation.material]?.kind;
  return kind === undefined ? [] : [region(address, bytes, kind)];
}

/** Joins neighbours of one kind; zeros within or behind a kernel are part of it. */
function mergeFilled(regions: readonly Region[]): readonly Region[] {
  const merged: Region[] = [];
  for (const next of [...regions].sort((a, b) => a.address - b.address)) {
    const last = merged.at(-1);
    const adjoins = last !== undefined && last.address + last.bytes === next.address;
    const same = adjoins && (last.what === next.what || isKernelWith(last, next));
    if (!same) {
      merged.push(next);
      continue;
    }
    merged[merged.length - 1] = {
      address: last.address,
      bytes: last.bytes + next.bytes,
      what: last.what === "zeros" ? next.what : last.what,
      clearedBytes: last.clearedBytes + next.clearedBytes,
    };
  }
  return merged;
}

function isKernelWith(last: Region, next: Region): boolean {
  return (
    (last.what === "kernel" && next.what === "zeros") ||
    (last.what === "zeros" && next.what === "kernel")
  );
}

/** Memory that nothing was put into. */
function free(memory: readonly Range[], filled: readonly Region[]): readonly Region[] {
  const regions: Region[] = [];
  for (const { address, bytes } of joined(memory)) {
    let at = address;
    for (const used of filled) {
      if (used.address < at || used.address >= address + bytes) continue;
      if (used.address > at) regions.push(region(at, used.address - at, "free"));
      at = used.address + used.bytes;
    }
    if (at < address + bytes) regions.push(region(at, address + bytes - at, "free"));
  }
  return regions;
}

function joined(ranges: readonly Range[]): readonly Range[] {
  const result: { address: number; bytes: number }[] = [];
  for (const { address, bytes } of [...ranges].sort((a, b) => a.address - b.address)) {
    const last = result.at(-1);
    if (last !== undefined && last.address + last.bytes === address) last.bytes += bytes;
    else result.push({ address, bytes });
  }
  return result;
}

function region(address: number, bytes: number, what: Region["what"]): Region {
  return { address, bytes, what, clearedBytes: 0 };
}
