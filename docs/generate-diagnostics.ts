// SPDX-License-Identifier: Apache-2.0
// The page of all diagnostics, from the compiler's own catalogue.

import { allRules } from "../compiler/diagnostics/catalogue.js";

/** The text of docs/diagnostics.md. */
export function diagnosticsPage(): string {
  const sections = allRules().flatMap(({ code, title, severity, explanation, example }) => [
    `## ${code}: ${title}`,
    "",
    ...(severity === "warning" ? ["A warning.", ""] : []),
    explanation.replaceAll(/\s+/g, " ").trim(),
    "",
    "```",
    example.trim(),
    "```",
    "",
  ]);
  return [
    "# Diagnostics",
    "",
    "All that the compiler may say of a description, its materials or an image. Codes are stable;",
    "the first digit names the stage: 1 and 2 the description, 3 materials, 4 guests and plan, 5",
    "images. Generated from the rules of `compiler/` by `npm run docs`.",
    "",
    ...sections,
  ].join("\n");
}
