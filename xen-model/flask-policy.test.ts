// SPDX-License-Identifier: Apache-2.0

import { readFile } from "node:fs/promises";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { paths } from "../setup/paths.js";
import { type FlaskPolicy, labelFault, readFlaskPolicy } from "./flask-policy.js";

let bytes: Uint8Array;
let policy: FlaskPolicy;

beforeAll(async () => {
  bytes = new Uint8Array(await readFile(paths.xenPolicy()));
  const read = readFlaskPolicy(bytes);
  policy = typeof read === "string" ? expect.fail(read) : read;
});

describe("the FLASK policy that checkpolicy makes", () => {
  it("has the user, the roles and the types of its text, and no attributes", () => {
    expect([...policy.users.keys()]).toEqual(["system_u"]);
    expect([...policy.roles.keys()].sort()).toEqual(["object_r", "system_r"]);
    const types = [...policy.types.keys()];
    expect(types).toEqual(
      expect.arrayContaining(["boot_domain_t", "initial_t", "domU_t", "xen_t"]),
    );
    expect(types).not.toContain("initial_type");
    expect(policy.multiLevel).toBe(false);
  });

  it.each(["system_u:system_r:initial_t", "system_u:object_r:xen_t"])("knows %s", (label) => {
    expect(labelFault(policy, label)).toBeUndefined();
  });

  it.each([
    ["initial_t", "has not the form user:role:type"],
    ["system_u:system_r:initial_t:s0", "has not the form user:role:type"],
    ["root:system_r:initial_t", 'names no user: "root"'],
    ["system_u:vm_r:initial_t", 'names no role: "vm_r"'],
    ["system_u:system_r:initail_t", 'names no type: "initail_t"'],
    ["system_u:system_r:initial_type", 'names no type: "initial_type"'],
  ])("does not know %s", (label, predicate) => {
    expect(labelFault(policy, label)?.predicate).toBe(predicate);
  });
});

describe("a policy with levels and two users", () => {
  const two: FlaskPolicy = {
    multiLevel: true,
    users: new Map([
      ["one", new Set([2])],
      ["other", new Set()],
    ]),
    roles: new Map([["role", { value: 2, types: new Set([1]) }]]),
    types: new Map([
      ["its", 1],
      ["foreign", 2],
    ]),
  };

  it.each([
    ["one:role:its:s0", undefined],
    ["one:role:its:s0:c1", undefined],
    ["one:role:its", "has not the form user:role:type:level"],
    ["one:role:foreign:s0", "has a type that its role role is not for"],
    ["other:role:its:s0", "has a role that its user other is not for"],
  ])("judges %s", (label, predicate) => {
    expect(labelFault(two, label)?.predicate).toBe(predicate);
  });
});

describe("readFlaskPolicy", () => {
  it("says what is wrong with a text, and with a policy for another system", () => {
    expect(readFlaskPolicy(Buffer.from("policy.te"))).toBe("it does not begin as one");
    const other = Buffer.from(bytes);
    other.write("SELinux.", 8);
    expect(readFlaskPolicy(other)).toBe('it is for "SELinux.", not for XenFlask');
    const later = Buffer.from(bytes);
    later.writeUInt32LE(31, 16);
    expect(readFlaskPolicy(later)).toBe("its format is 31, wanted one from 24 to 30");
  });

  it("reads any bytes to an end", () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 8 });
    fc.assert(
      fc.property(damage, fc.nat(), (changes, length) => {
        const damaged = bytes.slice(0, length % (bytes.length + 1));
        for (const [at, value] of changes) if (at < damaged.length) damaged[at] = value;
        const read = readFlaskPolicy(damaged);
        expect(typeof read === "string" || read.types.size >= 0).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
