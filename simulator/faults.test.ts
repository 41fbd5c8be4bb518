// SPDX-License-Identifier: Apache-2.0
// The text form of faults.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { XEN_ENOENT, XEN_ENOMEM } from "../contract/xen-abi.js";
import { errnos } from "../xen-model/errno.js";
import { hypercallNames } from "../xen-model/hypercalls.js";
import { formatFault, parseFault } from "./faults.js";

const fault = fc
  .record({
    hypercall: fc.constantFrom(...hypercallNames),
    occurrence: fc.integer({ min: 1, max: 999_999 }),
    errno: fc.option(fc.constantFrom(...errnos.values())),
    done: fc.nat({ max: 999_999 }),
  })
  .map(({ errno, ...rest }) => ({ ...rest, answer: errno === null ? rest.done : -errno }));

describe("a fault's text", () => {
  it("names the hypercall, which of them, and what it gives", () => {
    expect(parseFault("populate:3=ENOMEM")).toEqual({
      ok: true,
      fault: { hypercall: "populate", occurrence: 3, answer: -XEN_ENOMEM, done: 0 },
    });
    expect(parseFault("populate:3=5")).toMatchObject({ fault: { answer: 5, done: 5 } });
    expect(parseFault("copy:2=ENOENT@7")).toMatchObject({
      fault: { answer: -XEN_ENOENT, done: 7 },
    });
  });

  it("is read back as it was written", () => {
    fc.assert(
      fc.property(fault, (value) => {
        expect(parseFault(formatFault(value))).toEqual({ ok: true, fault: value });
      }),
    );
  });

  it.each([
    ["populate", "wanted: populate:3=ENOMEM"],
    ["populate:0=ENOMEM", "counted from 1"],
    ["fill:1=ENOMEM", 'no hypercall "fill"'],
    ["populate:1=EWHAT", "no errno EWHAT"],
    ["populate:1=5@2", "@ goes with an errno"],
    ["toString:1=EPERM", 'no hypercall "toString"'],
  ])("that is wrong says how: %s", (text, problem) => {
    expect(parseFault(text)).toMatchObject({
      ok: false,
      problem: expect.stringContaining(problem),
    });
  });

  it("of any characters is read or refused", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(typeof parseFault(text).ok).toBe("boolean");
      }),
    );
  });
});
