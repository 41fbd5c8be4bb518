// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PAGE_SIZE } from "../../contract/limits.js";
import type { GuestPage } from "../guest/kernel-pages.js";
import { populateOperations } from "./fill.js";
import { packPages } from "./pack.js";

const page = (value: number) => new Uint8Array(PAGE_SIZE).fill(value);

/** Pages by ascending frame with gaps; 0 stands for a page of zeros. */
const pages: fc.Arbitrary<readonly GuestPage[]> = fc
  .array(fc.record({ gap: fc.nat({ max: 2 }), value: fc.nat({ max: 3 }) }), { maxLength: 40 })
  .map((list) => {
    let frame = 0;
    return list.map(({ gap, value }) => {
      frame += gap + 1;
      return { frame, bytes: value === 0 ? undefined : page(value) };
    });
  });

describe("packPages", () => {
  it("gives every page back from its runs, however many zeros are stored", () => {
    fc.assert(
      fc.property(pages, fc.nat({ max: 5 }), (original, storedZeros) => {
        const { runs, bytes } = packPages(original, storedZeros);
        const unpacked = runs.flatMap(({ frame, count, offset }) =>
          Array.from({ length: count }, (_, index) => ({
            frame: frame + index,
            value: offset === undefined ? 0 : (bytes[offset + index * PAGE_SIZE] ?? -1),
          })),
        );
        expect(unpacked).toEqual(
          original.map(({ frame, bytes: content }) => ({ frame, value: content?.[0] ?? 0 })),
        );
      }),
    );
  });

  it("stores no page of zeros by default", () => {
    const { runs, bytes } = packPages(
      [
        { frame: 4, bytes: page(1) },
        { frame: 5, bytes: undefined },
        { frame: 6, bytes: page(2) },
      ],
      0,
    );
    expect(bytes.length).toBe(2 * PAGE_SIZE);
    expect(runs).toEqual([
      { frame: 4, count: 1, offset: 0 },
      { frame: 5, count: 1, offset: undefined },
      { frame: 6, count: 1, offset: PAGE_SIZE },
    ]);
  });

  it("stores runs of zeros between other pages up to the length asked for, so that they join", () => {
    const { runs } = packPages(
      [
        { frame: 4, bytes: page(1) },
        { frame: 5, bytes: undefined },
        { frame: 6, bytes: page(2) },
        { frame: 7, bytes: undefined },
      ],
      1,
    );
    expect(runs).toEqual([
      { frame: 4, count: 3, offset: 0 },
      { frame: 7, count: 1, offset: undefined },
    ]);
  });
});

describe("populateOperations", () => {
  it("gives each page once, in extents that are aligned", () => {
    const range = fc.record({
      first: fc.nat({ max: 3000 }),
      pages: fc.integer({ min: 1, max: 5000 }),
    });
    fc.assert(
      fc.property(range, ({ first, pages: count }) => {
        const operations = populateOperations([
          { address: first * PAGE_SIZE, bytes: count * PAGE_SIZE, type: 1 },
        ]);
        let next = first;
        for (const operation of operations) {
          if (operation.kind !== "populate") throw new Error("bug: not populate");
          expect(operation.frame).toBe(next);
          expect(operation.frame % 2 ** operation.order).toBe(0);
          next += operation.count * 2 ** operation.order;
        }
        expect(next).toBe(first + count);
        expect(operations.length).toBeLessThanOrEqual(3);
      }),
    );
  });
});
