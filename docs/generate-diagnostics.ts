// SPDX-License-Identifier: Apache-2.0
// The page of all diagnostics, from the compiler's own catalogue.

import { commandRules } from "../cli/rules.js";
import { allRules } from "../compiler/diagnostics/catalogue.js";

/** The text of docs/diagnostics.md. */
export function diagnosticsPage(): string {
  const sections = [...allRules(), ...commandRules.rules].flatMap(
    ({ code, title, severity, explanation, example }) => [
      `## ${code}: ${title}`,
      "",
      ...(severity === "warning" ? ["A warning.", ""] : []),
      explanation.replaceAll(/\s+/g, " ").trim(),
      "",
      "```",
      example.trim(),
      "```",
      "",
    ],
  );
  return [
    "# Diagnostics",
    "",
    "All that domb may say of a description, its materials, an image or a command. Codes are stable;",
    "the first digit names the stage: 1 and 2 the description, 3 materials, 4 guests and plan, 5",
    "images, 6 commands. Generated from the rules of `compiler/` and `cli/` by `npm run docs`.",
    "",
    ...sections,
  ].join("\n");
}
