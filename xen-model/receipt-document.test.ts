// SPDX-License-Identifier: Apache-2.0
// Receipt ⇄ document, and what is said of documents that somebody has changed.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type DomainStateName, domainStates, type Receipt, type ReceiptPart } from "./receipt.js";
import { formatReceipt, readReceipt } from "./receipt-document.js";

const ticks = fc.nat();
const part: fc.Arbitrary<ReceiptPart> = fc.record({
  status: fc.nat({ max: 16 }),
  step: fc.nat({ max: 384 }),
  operation: fc.nat({ max: 16384 }),
  domain: fc.nat({ max: 128 }),
  error: fc.nat({ max: 4095 }),
  verifiedBy: fc.nat({ max: 2 }),
  launchVersion: fc.nat(),
  clockKilohertz: fc.integer({ min: 1 }),
  ...{ beganAt: ticks, endedAt: ticks, digestTicks: ticks, populateTicks: ticks },
  ...{ copyTicks: ticks, clearTicks: ticks, waitTicks: ticks },
  planDigest: fc.stringMatching(/^[0-9a-f]{64}$/),
  domains: fc.array(
    fc.record({
      name: fc.stringMatching(/^[!-~]{1,31}$/),
      domid: fc.nat({ max: 0x7fee }),
      state: fc.constantFrom(...(Object.keys(domainStates) as DomainStateName[])),
      ...{ createdAt: ticks, startedAt: ticks, signalledAt: ticks, readyAt: ticks },
      ...{ endedAt: ticks, destroyedAt: ticks, endReason: fc.nat({ max: 0xffffffff }) },
      ...{ status: fc.nat({ max: 16 }), operation: fc.nat({ max: 16384 }) },
      error: fc.nat({ max: 4095 }),
    }),
    { maxLength: 4 },
  ),
  steps: fc.array(fc.record({ beganAt: ticks, endedAt: ticks }), { maxLength: 4 }),
});
const receipt: fc.Arbitrary<Receipt> = fc.oneof(
  part,
  fc.tuple(part, part).map(([main, last]) => ({ ...last, main })),
);

const [sample] = fc.sample(
  receipt.filter(({ main, domains }) => main !== undefined && domains.length > 1),
  { numRuns: 1, seed: 1 },
);

/** What is said of the sample with a value put where the path says. */
function problemOf(path: readonly (string | number)[], value: unknown): string {
  const document = JSON.parse(formatReceipt(sample ?? expect.fail("there is no sample")));
  const key = path.at(-1) ?? "";
  let at = document;
  for (const name of path.slice(0, -1)) at = at[name];
  if (value === undefined) delete at[key];
  else at[key] = value;
  const read = readReceipt(JSON.stringify(document));
  return read.ok ? "" : read.problem;
}

describe("a receipt's document", () => {
  it("reads back as the receipt that it was made of", () => {
    fc.assert(
      fc.property(receipt, (one) => {
        expect(readReceipt(formatReceipt(one))).toEqual({ ok: true, receipt: one });
      }),
    );
  });

  it.each([
    [["schema"], "domb.receipt/2", 'schema is "domb.receipt/2", wanted "domb.receipt/1"'],
    [["status"], undefined, "status is missing, wanted a whole number from 0 to 4294967295"],
    [["domains", 1, "state"], "gone", /^domains\[1\]\.state is "gone", wanted one of absent, /],
    [["domains", 0, "domid"], 0x7fef, /^domains\[0\]\.domid is 32751, wanted .* to 32750$/],
    [["domains", 0, "name"], "a b", /^domains\[0\]\.name is "a b", wanted a name of 1 to 31 /],
    [["steps"], {}, "steps is {}, wanted a list"],
    [["steps"], Array(385).fill({}), "length of steps is 385, wanted 384 at most"],
    [["main", "error"], -1, "main.error is -1, wanted a whole number from 0 to 4095"],
    [["main", "beganAt"], 0.5, /^main\.beganAt is 0\.5, wanted a whole number /],
    [["main", "main"], {}, `main's field "main" is {}, wanted no such field`],
    [["more"], 1, `the document's field "more" is 1, wanted no such field`],
    [["planDigest"], "f", 'planDigest is "f", wanted 64 hexadecimal digits'],
  ] as const)("says what is wrong at %j", (path, value, problem) => {
    expect(problemOf(path, value)).toMatch(problem);
  });

  it("has a length that any receipt has, and is JSON", () => {
    expect(readReceipt(" ".repeat(0x100001))).toMatchObject({ ok: false });
    const read = readReceipt("{");
    expect(read).toMatchObject({
      ok: false,
      problem: expect.stringMatching(/^the document is no JSON: /),
    });
    expect(readReceipt("[]")).toEqual({
      ok: false,
      problem: "the document is [], wanted an object",
    });
  });
});
