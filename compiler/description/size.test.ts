// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatSize, parseSize, sizeBytes, sizeUnits } from "./size.js";

const kibibytes = fc.integer({ min: 1, max: 2 ** 40 });

describe("a size", () => {
  it("is read as it was printed", () => {
    fc.assert(
      fc.property(kibibytes, (count) => {
        const bytes = count * sizeUnits.KiB;
        expect(parseSize(formatSize(bytes))).toEqual({ ok: true, bytes });
      }),
    );
  });

  it("is printed in the largest unit without a fraction", () => {
    expect(formatSize(2 ** 40)).toBe("1 TiB");
    expect(formatSize(1536 * 2 ** 20)).toBe("1536 MiB");
    expect(formatSize(4097)).toBe("4097 bytes");
    expect(formatSize(0)).toBe("0 bytes");
  });

  it("may have no space or several before its unit", () => {
    expect(parseSize("64MiB")).toEqual({ ok: true, bytes: 2 ** 26 });
    expect(parseSize("64   MiB")).toEqual({ ok: true, bytes: 2 ** 26 });
  });

  it.each([
    ["256", { fault: "no-unit", number: "256" }],
    ["256 M", { fault: "other-unit", number: "256", unit: "M", meant: "MiB" }],
    ["256 KB", { fault: "other-unit", number: "256", unit: "KB", meant: "KiB" }],
    ["1 tib", { fault: "other-unit", number: "1", unit: "tib", meant: "TiB" }],
    ["1.5 GiB", { fault: "malformed", whole: "1536 MiB" }],
    ["0.3 KiB", { fault: "malformed" }],
    ["-1 GiB", { fault: "malformed" }],
    ["0o100 MiB", { fault: "malformed" }],
    ["0100 MiB", { fault: "malformed" }],
    ["1e3 MiB", { fault: "malformed" }],
    [" 64 MiB", { fault: "malformed" }],
    ["64 constructor", { fault: "malformed" }],
    ["", { fault: "malformed" }],
  ])("is not %j", (text, fault) => {
    expect(parseSize(text)).toEqual({ ok: false, ...fault });
  });

  it("of whatever text is bytes, or a fault whose remedy is a size", () => {
    const near = fc.stringMatching(/^[-+0-9. ]{0,4} ?[KMGTkmgt]?i?[Bb]?$/);
    fc.assert(
      fc.property(fc.oneof(near, fc.string()), (text) => {
        const size = parseSize(text);
        if (size.ok) expect(parseSize(formatSize(size.bytes || sizeUnits.KiB)).ok).toBe(true);
        else if (size.fault === "no-unit") expect(parseSize(`${size.number} MiB`).ok).toBe(true);
        else if (size.fault === "other-unit") {
          expect(parseSize(`${size.number} ${size.meant}`).ok).toBe(true);
        } else if (size.whole !== undefined) expect(parseSize(size.whole).ok).toBe(true);
      }),
    );
  });

  it("that was not checked before is a bug", () => {
    expect(() => sizeBytes("64 MB")).toThrow('"64 MB" was taken for a size');
  });
});
