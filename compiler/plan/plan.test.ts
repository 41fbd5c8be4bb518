// SPDX-License-Identifier: Apache-2.0
// Plan ⇄ bytes and plan ⇄ text, and that the records' descriptions cover the contract's records.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LABEL_BYTES, NAME_BYTES } from "../../contract/limits.js";
import { decodePlan, encodePlan } from "./encode.js";
import {
  domainLayout,
  materialLayout,
  type OperationName,
  operationCodes,
  operationLayouts,
  type Plan,
  type PlanOperation,
  planHeaderLayout,
  stepLayout,
} from "./plan.js";
import type { Field } from "./record.js";
import { formatPlan, parsePlan } from "./text.js";

const word = fc.integer({ min: 0, max: 0xffffffff });
const digits = fc.stringMatching(/^[0-9a-f]{64}$/);

// biome-ignore lint/suspicious/noExplicitAny: a generator for each field, whatever its value
function arbitraryRecord(fields: Readonly<Record<string, Field<any>>>): fc.Arbitrary<any> {
  const special: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
    name: fc.stringMatching(new RegExp(`^[!-~]{1,${NAME_BYTES - 1}}$`)),
    digest: digits,
    label: fc.stringMatching(new RegExp(`^[!-~]{0,${LABEL_BYTES - 1}}$`)),
    readiness: fc.constantFrom("started", "signalled", "finished"),
    onFailure: fc.constantFrom("abort", "continue", "recover"),
    kind: fc.constantFrom("kernel", "ramdisk", "startOfDay", "vcpuContext"),
  };
  return fc.record(
    Object.fromEntries(Object.keys(fields).map((key) => [key, special[key] ?? word])),
  );
}

const operation: fc.Arbitrary<PlanOperation> = fc
  .constantFrom(...(Object.keys(operationCodes) as OperationName[]))
  .chain((kind) =>
    arbitraryRecord(operationLayouts[kind].fields).map((fields) => ({ ...fields, kind })),
  );

const plan: fc.Arbitrary<Plan> = fc.record({
  ...{ dropped: word, policyBytes: word, policyDigest: digits },
  ...{ reservedPrivileges: word, reservedPages: word },
  guards: fc.array(word, { maxLength: 4 }),
  domains: fc.array(arbitraryRecord(domainLayout.fields), { maxLength: 4 }),
  materials: fc.array(arbitraryRecord(materialLayout.fields), { maxLength: 4 }),
  steps: fc.array(arbitraryRecord(stepLayout.fields), { maxLength: 4 }),
  operations: fc.array(operation, { maxLength: 20 }),
});

describe("a plan", () => {
  it("comes back from its bytes", () => {
    fc.assert(
      fc.property(plan, (original) => {
        expect(decodePlan(encodePlan(original))).toEqual({ ok: true, value: original });
      }),
    );
  });

  it("comes back from its text", () => {
    fc.assert(
      fc.property(plan, (original) => {
        expect(parsePlan(formatPlan(original))).toEqual({ ok: true, value: original });
      }),
    );
  });

  it("is the only plan with its bytes: what decodes encodes to the same", () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 3 });
    fc.assert(
      fc.property(plan, damage, (original, changes) => {
        const bytes = Buffer.from(encodePlan(original));
        for (const [at, value] of changes) bytes.writeUInt8(value, at % bytes.length);
        const decoded = decodePlan(bytes);
        if (decoded.ok) expect(bytes.equals(encodePlan(decoded.value))).toBe(true);
        else expect(decoded.faults.length).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  });

  it("is refused, not thrown at, whatever the bytes or the text", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 15 }), (bytes) => !decodePlan(bytes).ok));
    fc.assert(fc.property(fc.string(), (text) => !parsePlan(text).ok));
  });

  it("names line and field of a text that is wrong", () => {
    const parsed = parsePlan("operation kind=unmap\n");
    expect(!parsed.ok && parsed.faults[0]?.[0]).toBe("kind in line 1");
    const incomplete = parsePlan("operation kind=clear frame=1\n");
    expect(!incomplete.ok && incomplete.faults).toMatchObject([
      ["count in line 1", { found: "absent", wanted: "a value" }],
    ]);
  });
});

describe("the description of each record", () => {
  const layouts = {
    planHeaderLayout,
    domainLayout,
    materialLayout,
    stepLayout,
    ...operationLayouts,
  };
  it.each(Object.entries(layouts))(
    "%s has fields within its size that do not overlap",
    (_, layout) => {
      const used = new Uint8Array(layout.size);
      for (const { offset, bytes } of Object.values(layout.fields)) {
        expect(offset + bytes).toBeLessThanOrEqual(layout.size);
        for (let at = offset; at < offset + bytes; at++) used[at] = (used[at] ?? 0) + 1;
      }
      expect(Math.max(...used)).toBe(1);
    },
  );

  it.each(
    // Of these, only `reserved` is no field.
    [
      [planHeaderLayout, 0],
      [domainLayout, 0],
      [materialLayout, 4],
      [stepLayout, 0],
      [operationLayouts.copy, 4],
    ] as const,
  )("leaves out no more than the reserved bytes", (layout, left) => {
    const used = Object.values(layout.fields).reduce((sum, { bytes }) => sum + bytes, 0);
    expect(layout.size - used).toBe(left);
  });
});
