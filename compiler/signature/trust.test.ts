// SPDX-License-Identifier: Apache-2.0
// Whom a boot domain trusts, in its file and out of it.

import { readFile } from "node:fs/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PUBLIC_KEY_BYTES, TrustRecord } from "../../contract/trust.js";
import { paths } from "../../setup/paths.js";
import { decodeTrust, encodeTrust, trustOf, withTrust } from "./trust.js";

const key = fc
  .uint8Array({ minLength: PUBLIC_KEY_BYTES, maxLength: PUBLIC_KEY_BYTES })
  .filter((bytes) => bytes.some((byte) => byte !== 0));
const trust = fc.record({
  keys: fc.array(key, { maxLength: 2 }),
  leastLaunchVersion: fc.nat({ max: 0xffffffff }),
});

describe("trust", () => {
  it("comes back from its record", () => {
    fc.assert(
      fc.property(trust, (given) => {
        expect(decodeTrust(encodeTrust(given))).toEqual(given);
      }),
    );
  });

  it("is one record of the boot domain's file, and changes nothing else in it", async () => {
    const built = new Uint8Array(await readFile(paths.bootDomain()));
    expect(trustOf(built)).toMatchObject({ ok: true, value: { keys: [], leastLaunchVersion: 0 } });
    const given = { keys: [new Uint8Array(PUBLIC_KEY_BYTES).fill(7)], leastLaunchVersion: 3 };
    const trusting = withTrust(built, given);
    if (!trusting.ok) return expect.fail("there is no room for keys");
    expect(trustOf(trusting.value)).toMatchObject({ value: given });
    const changed = [...built].flatMap((byte, at) => (byte === trusting.value[at] ? [] : [at]));
    const span = (changed.at(-1) ?? 0) - (changed[0] ?? 0) + 1;
    expect(span).toBeLessThanOrEqual(TrustRecord.size);
    const back = withTrust(trusting.value, { keys: [], leastLaunchVersion: 0 });
    expect(back.ok && Buffer.compare(back.value, built)).toBe(0);
  });

  it("has no place in another file, or in one that holds the note twice", async () => {
    const built = await readFile(paths.bootDomain());
    for (const file of [new Uint8Array(), Buffer.from("domb"), Buffer.concat([built, built])]) {
      const found = trustOf(file, { file: "boot-domain.elf" });
      expect(found.diagnostics.map(({ code }) => code)).toEqual(["DOMB5108"]);
    }
  });
});
