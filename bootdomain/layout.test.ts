// SPDX-License-Identifier: Apache-2.0
// The boot domain's tables hold what contract/ allows at its maxima, and do not overlap.

import { describe, expect, it } from "vitest";
import { gapsOf, readTables } from "./layout.js";

describe("the boot domain's linear memory", () => {
  it("has room for each table at its maximum before the next begins", async () => {
    for (const { name, start, bytes, next } of await readTables()) {
      expect(start + bytes, name).toBeLessThanOrEqual(next);
    }
  });

  it("has what lies between the tables where no table is", async () => {
    const tables = await readTables();
    const gaps = gapsOf(tables);
    expect(gaps.length).toBeGreaterThan(3);
    for (const [from, to] of gaps) {
      const inside = tables.filter(({ start, bytes }) => from < start + bytes && to > start);
      expect(inside).toEqual([]);
    }
  });
});
