// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { durationMilliseconds, formatDuration, parseDuration } from "./duration.js";

describe("a time", () => {
  it("is read as it was printed", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 40 }), (milliseconds) => {
        expect(parseDuration(formatDuration(milliseconds))).toEqual({ ok: true, milliseconds });
      }),
    );
  });

  it("is printed in the largest unit without a fraction", () => {
    expect([1, 250, 5000, 60_000, 90_000, 3_600_000].map(formatDuration)).toEqual([
      ...["1 ms", "250 ms", "5 s", "1 min", "90 s", "60 min"],
    ]);
  });

  it("may have no space or several before its unit", () => {
    expect(parseDuration("5s")).toEqual({ ok: true, milliseconds: 5000 });
    expect(parseDuration("2   min")).toEqual({ ok: true, milliseconds: 120_000 });
  });

  it.each([
    ["5", { meant: "5 s" }],
    ["5 sec", { meant: "5 s" }],
    ["5 Seconds", { meant: "5 s" }],
    ["250 msec", { meant: "250 ms" }],
    ["2 m", { meant: "2 min" }],
    ["1 h", { meant: "60 min" }],
    ["1.5 s", { meant: "1500 ms" }],
    ["0.5 h", { meant: "30 min" }],
    ["0.0001 ms", {}],
    ["5 us", {}],
    ["-5 s", {}],
    ["05 s", {}],
    ["1e3 ms", {}],
    [" 5 s", {}],
    ["5 constructor", {}],
    ["s", {}],
    ["", {}],
  ])("is not %j", (text, fault) => {
    expect(parseDuration(text)).toEqual({ ok: false, ...fault });
  });

  it("of whatever text is milliseconds, or a fault whose remedy is a time", () => {
    const near = fc.stringMatching(/^[-+0-9. ]{0,4} ?(ms|s|sec|min|m|h|S)?$/);
    fc.assert(
      fc.property(fc.oneof(near, fc.string()), (text) => {
        const time = parseDuration(text);
        if (time.ok) expect(durationMilliseconds(text)).toBe(time.milliseconds);
        else if (time.meant !== undefined) expect(parseDuration(time.meant).ok).toBe(true);
      }),
    );
  });

  it("that was not checked before is a bug", () => {
    expect(() => durationMilliseconds("5 sec")).toThrow('"5 sec" was taken for a time');
  });
});
