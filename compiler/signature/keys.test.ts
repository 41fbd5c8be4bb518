// SPDX-License-Identifier: Apache-2.0
// Key files: ours and RFC 9909's are of one form, and nothing else is taken for a key.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  formatPublicKey,
  formatSecretKey,
  makeSecretKey,
  parsePublicKey,
  parseSecretKey,
  publicKeyOf,
  SEED_BYTES,
} from "./keys.js";

/** The example of RFC 9909, appendix C.1. */
const secretExample = `-----BEGIN PRIVATE KEY-----
MFICAQAwCwYJYIZIAWUDBAMUBECiJjvKRYYINlIxYASVI9YhZ3+tkNUetgZ6Mn4N
HmSlASuBCex3fKpOHwJMz8+Ul9mRgFCSgPQlavKwevgCibSU
-----END PRIVATE KEY-----
`;
const publicExample = `-----BEGIN PUBLIC KEY-----
MDAwCwYJYIZIAWUDBAMUAyEAK4EJ7Hd8qk4fAkzPz5SX2ZGAUJKA9CVq8rB6+AKJ
tJQ=
-----END PUBLIC KEY-----
`;
const place = { file: "owner.key" };

function codesOf({ diagnostics }: { diagnostics: readonly { code: string }[] }): readonly string[] {
  return diagnostics.map(({ code }) => code);
}

describe("a key file", () => {
  it("of RFC 9909 is read, and written the same", () => {
    const secret = parseSecretKey(secretExample, place);
    const key = parsePublicKey(publicExample, place);
    if (!secret.ok || !key.ok) return expect.fail("a key was not read");
    expect(publicKeyOf(secret.value)).toEqual(key.value);
    expect(formatSecretKey(secret.value)).toBe(secretExample);
    expect(formatPublicKey(key.value)).toBe(publicExample);
  });

  it("comes back as it was written", () => {
    const secret = makeSecretKey(new Uint8Array(SEED_BYTES).fill(9));
    const again = parseSecretKey(formatSecretKey(secret), place);
    expect(again.ok && again.value).toEqual(secret);
  });

  it("of the other half, of another algorithm, or of no form is told", () => {
    expect(codesOf(parseSecretKey(publicExample, place))).toEqual(["DOMB5101"]);
    expect(codesOf(parsePublicKey(secretExample, place))).toEqual(["DOMB5101"]);
    expect(codesOf(parsePublicKey("", place))).toEqual(["DOMB5101"]);
    const other = publicExample.replace("BAMU", "BAMV");
    expect(codesOf(parsePublicKey(other, place))).toEqual(["DOMB5101"]);
    const { diagnostics } = parseSecretKey(publicExample, place);
    expect(diagnostics[0]?.message).toContain('the file holds a PEM block "PUBLIC KEY"');
  });

  it("gives a result whatever it holds, and tells nothing of it", () => {
    fc.assert(
      fc.property(fc.string(), fc.nat({ max: secretExample.length }), (text, at) => {
        const changed = secretExample.slice(0, at) + text + secretExample.slice(at);
        const parsed = parseSecretKey(changed, place);
        const told = JSON.stringify(parsed.diagnostics);
        return parsed.ok || (!told.includes("HmSl") && !told.includes("MFIC"));
      }),
    );
  });
});
