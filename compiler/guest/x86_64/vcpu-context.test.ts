// SPDX-License-Identifier: Apache-2.0
// The context against Xen's arch-x86/hvm/save.h and docs/misc/pvh.pandoc, with numbers of their own.

import { describe, expect, it } from "vitest";
import { MAX_CONTEXT_BYTES, MAX_VCPUS } from "../../../contract/limits.js";
import { encodeVcpuContexts } from "./vcpu-context.js";

const [context = new Uint8Array()] = encodeVcpuContexts(0x1000850, 0x3efc000, 1);
const view = new DataView(context.buffer);

/** Type code, length and start of each record. */
function records(context: Uint8Array) {
  const view = new DataView(context.buffer);
  const found: { typecode: number; instance: number; length: number; start: number }[] = [];
  for (let at = 0; at < context.length; ) {
    const length = view.getUint32(at + 4, true);
    found.push({
      typecode: view.getUint16(at, true),
      instance: view.getUint16(at + 2, true),
      length,
      start: at + 8,
    });
    at += 8 + length;
  }
  return found;
}

describe("encodeVcpuContexts", () => {
  it("has the records HEADER, CPU, MTRR and END of vCPU 0, and nothing behind them", () => {
    const found = records(context);
    expect(found.map(({ typecode, instance, length }) => [typecode, instance, length])).toEqual([
      [1, 0, 24],
      [2, 0, 0x408],
      [14, 0, 240],
      [0, 0, 0],
    ]);
  });

  it("starts in 32-bit protected mode without paging, with ebx at the start info", () => {
    const cpu = records(context)[1]?.start ?? 0;
    expect(view.getBigUint64(cpu + 0x280, true)).toBe(0x1000850n);
    expect(view.getBigUint64(cpu + 0x208, true)).toBe(0x3efc000n);
    expect(view.getBigUint64(cpu + 0x288, true)).toBe(2n);
    expect(view.getBigUint64(cpu + 0x290, true)).toBe(0x11n);
  });

  it("enables caching: default type write-back, page attribute table as after a reset", () => {
    const mtrr = records(context)[2]?.start ?? 0;
    expect(view.getBigUint64(mtrr, true)).toBe(0x0007040600070406n);
    expect(view.getBigUint64(mtrr + 0xe8, true)).toBe(0x806n);
  });

  it("sets the MTRRs of each vCPU once, in whole contexts that the boot domain holds", () => {
    for (let vcpus = 1; vcpus <= MAX_VCPUS; vcpus++) {
      const all = encodeVcpuContexts(0x1000850, 0x3efc000, vcpus).map((one) => {
        expect(one.length).toBeLessThanOrEqual(MAX_CONTEXT_BYTES);
        const found = records(one);
        expect([found[0]?.typecode, found.at(-1)?.typecode]).toEqual([1, 0]);
        return found;
      });
      const of = (typecode: number) =>
        all.flatMap((found) => found.filter((record) => record.typecode === typecode));
      const instances = of(14).map(({ instance }) => instance);
      expect(instances.sort((a, b) => a - b)).toEqual([...Array(vcpus).keys()]);
      expect(of(2).map(({ instance }) => instance)).toEqual([0]);
      // Xen takes down what a later context has no registers of.
      expect(all.at(-1)?.[1]?.typecode).toBe(2);
    }
  });
});
