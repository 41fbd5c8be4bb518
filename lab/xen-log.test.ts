// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatLogLine, parseLogLine } from "./xen-log.js";

describe("a line of Xen's log", () => {
  it("is read back as it was printed", () => {
    const from = fc.oneof(
      fc.constant("xen" as const),
      fc.record({ domid: fc.nat({ max: 0x7fef }) }),
    );
    const text = fc.string({ unit: fc.constantFrom("a", " ", "(", "[", "d", "1", ")", "]") });
    fc.assert(
      fc.property(from, fc.nat(), text, (from, ticks, text) => {
        const line = { from, ticks, text };
        expect(parseLogLine(formatLogLine(line))).toEqual(line);
      }),
    );
  });

  it("is none without a stamp, whatever it holds", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!/^\((XEN|d\d+)\) \[[0-9a-f]{16}\]/.test(text));
        expect(parseLogLine(text)).toBeUndefined();
      }),
    );
  });

  it("of a domain can't look like one of Xen's", () => {
    const line = { from: { domid: 1 }, ticks: 7, text: "(XEN) [0000000000000001] forged" };
    expect(parseLogLine(formatLogLine(line))?.from).toEqual({ domid: 1 });
  });
});
