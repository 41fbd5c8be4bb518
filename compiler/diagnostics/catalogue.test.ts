// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { allRules } from "./catalogue.js";
import { defineRules } from "./rules.js";

describe("the catalogue of diagnostics", () => {
  it("has each code and each slug once, in the order of codes", () => {
    const codes = allRules().map(({ code }) => code);
    expect(codes).toEqual([...new Set(codes)].sort());
    const slugs = allRules().map(({ slug }) => slug);
    expect(new Set(slugs).size).toBe(slugs.length);
  });

  it.each(allRules())("tells all of $code", (rule) => {
    expect(rule.code).toMatch(/^DOMB[1-5][0-9]{3}$/);
    expect(rule.slug).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
    expect(rule.explanation).toMatch(/\.$/);
    expect(rule.title).not.toMatch(/\.$/);
    expect(rule.example).not.toBe("");
  });
});

describe("a table of rules", () => {
  const table = defineRules({
    DOMB3999: {
      slug: "dusty-kernel",
      title: "The kernel is dusty",
      severity: "warning",
      explanation: "Dust is harmless.",
      example: "a kernel from the attic",
    },
  });

  it("gives a diagnostic the severity of its rule", () => {
    const finding = { place: { file: "vmlinuz" }, message: "it is dusty", fix: "Wipe it." };
    expect(table.diagnose("DOMB3999", finding)).toEqual({
      code: "DOMB3999",
      severity: "warning",
      related: [],
      ...finding,
    });
  });

  it("lists its rules with their codes", () => {
    expect(table.rules).toMatchObject([{ code: "DOMB3999", slug: "dusty-kernel" }]);
  });
});
