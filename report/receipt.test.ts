// SPDX-License-Identifier: Apache-2.0
// Receipts as files: whoever gives one may have changed it.

import fc from "fast-check";
import { expect, test } from "vitest";
import { simulated } from "../simulator/simulated-bench.js";
import { recoverable } from "./example-launches.js";
import { MAX_RECEIPT_CHARACTERS, RECEIPT_SCHEMA, readReceipt } from "./receipt.js";

const { receipt } = await simulated(recoverable, { ready: { database: null } });
const document = { schema: RECEIPT_SCHEMA, ...receipt };

function problemOf(changed: unknown): string {
  const read = readReceipt(JSON.stringify(changed));
  return read.ok ? "none" : read.problem;
}

test("a receipt's file is read back as it was, of both plans", () => {
  expect(receipt.main).toBeDefined();
  const read = readReceipt(JSON.stringify(document, null, 2));
  expect(read).toEqual({ ok: true, receipt });
});

test("what is no receipt is refused with the first thing that is wrong", () => {
  expect(problemOf({})).toMatch(/^schema: /);
  expect(problemOf({ ...document, schema: "domb.boot/1" })).toMatch(/^schema: /);
  expect(problemOf({ ...document, clockKilohertz: 0 })).toMatch(/^clockKilohertz: /);
  expect(problemOf({ ...document, beganAt: -1 })).toMatch(/^beganAt: /);
  expect(problemOf({ ...document, endedAt: 1.5 })).toMatch(/^endedAt: /);
  expect(problemOf({ ...document, planDigest: "0" })).toMatch(/^planDigest: /);
  const [first] = receipt.domains;
  expect(problemOf({ ...document, domains: [{ ...first, name: "a\nb" }] })).toMatch(
    /^domains\.0\.name: /,
  );
  expect(problemOf({ ...document, domains: Array(129).fill(first) })).toMatch(/^domains: /);
  expect(problemOf({ ...document, main: null })).toMatch(/^main: /);
  expect(readReceipt("{")).toEqual({ ok: false, problem: "it is no JSON document" });
  expect(readReceipt(" ".repeat(MAX_RECEIPT_CHARACTERS + 1)).ok).toBe(false);
});

test("any text and any JSON value is read or refused", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      expect(readReceipt(text).ok).toBe(false);
    }),
  );
  const keys = Object.keys(document);
  fc.assert(
    fc.property(fc.constantFrom(...keys), fc.jsonValue(), (key, value) => {
      const read = readReceipt(JSON.stringify({ ...document, [key]: value }));
      if (!read.ok) expect(read.problem).not.toBe("");
    }),
  );
});
