// SPDX-License-Identifier: Apache-2.0

import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { MAX_POLICY_BYTES } from "../../contract/limits.js";
import { paths } from "../../setup/paths.js";
import { describeLaunch } from "../description/load-description.js";
import { DEFAULT_LABEL, labelDomains } from "./label-domains.js";

let policy: Uint8Array;

beforeAll(async () => {
  policy = new Uint8Array(await readFile(paths.xenPolicy()));
});

function label(given: string | undefined, bytes?: Uint8Array) {
  const web = { kernel: "/vmlinuz", memory: "64 MiB", ...(given && { label: given }) };
  const under = bytes === undefined ? {} : { policy: { xsm: "/xenpolicy" } };
  const launch = describeLaunch({ domb: 1, ...under, domains: { web } }, "/");
  if (!launch.ok) expect.fail(JSON.stringify(launch.diagnostics));
  const file = bytes && { path: "/xenpolicy", bytes, place: { line: 3 } };
  return labelDomains(launch.value, file);
}

const labelOf = (result: ReturnType<typeof label>): string | undefined =>
  result.ok ? result.value.get("web") : expect.fail(JSON.stringify(result.diagnostics));

describe("[RFC-LABELS] the label of a domain", () => {
  it("is the one that the description gives, if the policy knows it", () => {
    const given = "system_u:system_r:domU_t";
    expect(labelOf(label(given, policy))).toBe(given);
  });

  it("is the default under a policy, and none without", () => {
    expect(labelOf(label(undefined, policy))).toBe(DEFAULT_LABEL);
    expect(labelOf(label(undefined))).toBeUndefined();
  });

  it("is taken as it is without a policy at hand", () => {
    expect(labelOf(label("user:role:type"))).toBe("user:role:type");
  });

  it("that the policy does not have is an error that says which part, and what was meant", () => {
    expect(label("system_u:system_r:initail_t", policy).diagnostics).toMatchObject([
      {
        code: "DOMB4503",
        message: 'label system_u:system_r:initail_t of domain web names no type: "initail_t"',
        fix: "Did you mean `initial_t`?",
      },
    ]);
    expect(label("root:system_r:initial_t", policy).diagnostics).toMatchObject([
      {
        message: 'label root:system_r:initial_t of domain web names no user: "root"',
        fix: "Give the domain a label of the policy, or the policy that label. It has: system_u.",
      },
    ]);
  });
});

describe("a policy", () => {
  it("that is none is an error", () => {
    expect(label(undefined, Buffer.from("policy text")).diagnostics).toMatchObject([
      { code: "DOMB4501", place: { line: 3 } },
    ]);
  });

  it("is refused above what the boot domain reads, and no byte earlier", () => {
    const of = (bytes: number) => Buffer.concat([policy, Buffer.alloc(bytes - policy.length)]);
    expect(label(undefined, of(MAX_POLICY_BYTES)).ok).toBe(true);
    expect(label(undefined, of(MAX_POLICY_BYTES + 1)).diagnostics).toMatchObject([
      { code: "DOMB4502" },
    ]);
  });
});
