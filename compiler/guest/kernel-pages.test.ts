// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from "vitest";
import { PAGE_SIZE } from "../../contract/limits.js";
import { guestKernel } from "./kernel-pages.js";

describe("guestKernel", () => {
  it("joins segments that meet within a page, and zeroes what none of them covers", () => {
    const { pages } = guestKernel({
      architecture: "x86_64",
      entry: 0,
      segments: [
        { address: 0x1ffe, bytes: Buffer.from([1, 2, 3]), memoryBytes: 5 },
        { address: 0x2800, bytes: Buffer.from([4]), memoryBytes: 1 },
      ],
    });
    expect(pages.map(({ frame }) => frame)).toEqual([1, 2]);
    expect([...(pages[0]?.bytes?.subarray(PAGE_SIZE - 3) ?? [])]).toEqual([0, 1, 2]);
    expect(pages[1]?.bytes?.[0]).toBe(3);
    expect(pages[1]?.bytes?.[0x800]).toBe(4);
    expect(pages[1]?.bytes?.filter((byte) => byte !== 0)).toHaveLength(2);
  });

  it("knows pages of zeros, whether the file has them or not", () => {
    const { pages } = guestKernel({
      architecture: "x86_64",
      entry: 0,
      segments: [{ address: 0x1000, bytes: Buffer.alloc(0x1800), memoryBytes: 0x3000 }],
    });
    expect(pages).toEqual([
      { frame: 1, bytes: undefined },
      { frame: 2, bytes: undefined },
      { frame: 3, bytes: undefined },
    ]);
  });
});
