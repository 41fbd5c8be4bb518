// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { bootDomainPermissions } from "./permissions.js";
import { buildPolicy, policyModule } from "./policy.js";

describe("the FLASK policy", () => {
  it("is the same, byte for byte, each time", async () => {
    expect(await buildPolicy()).toEqual(await buildPolicy());
  });

  it("gives the boot domain its permissions one by one, and no others", () => {
    const rules = policyModule()
      .split("\n")
      .filter((line) => line.startsWith("allow boot_domain_t "));
    expect(rules).toHaveLength(bootDomainPermissions.length);
    for (const rule of rules) expect(rule).toMatch(/^allow boot_domain_t \w+:\w+ \w+; # /);
  });
});
