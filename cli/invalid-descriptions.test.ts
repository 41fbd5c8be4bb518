// SPDX-License-Identifier: Apache-2.0
// Each rule of the description has a bad description that breaks it alone, and the exact text that
// a person then reads. To accept new texts, run this file's tests with `--update`.

import { readdirSync } from "node:fs";
import { basename, extname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import { loadDescription } from "../compiler/description/load-description.js";
import { descriptionRules } from "../compiler/description/rules.js";
import { paths } from "../setup/paths.js";
import { renderDiagnostics } from "./render-diagnostics.js";

const directory = relative(
  process.cwd(),
  join(paths.checkout, "compiler", "description", "invalid"),
);
const names = readdirSync(directory);
const inputs = names.filter((name) => extname(name) !== ".txt");

describe("the bad descriptions", () => {
  it.each(descriptionRules.rules)("include one of $code, $slug", async ({ code, slug }) => {
    // The one rule about a file that is not there has an expected text alone.
    const input = inputs.find((name) => name.startsWith(`${code}-`)) ?? `${code}-${slug}.yaml`;
    expect(basename(input, extname(input))).toBe(`${code}-${slug}`);
    const result = await loadDescription(join(directory, input));
    expect(result.ok).toBe(false);
    expect([...new Set(result.diagnostics.map((diagnostic) => diagnostic.code))]).toEqual([code]);
    const text = renderDiagnostics(result.diagnostics, { colour: false });
    await expect(text.replaceAll(`${directory}/`, "")).toMatchFileSnapshot(
      join(process.cwd(), directory, `${code}-${slug}.txt`),
    );
  });

  it("hold no file that is of no rule", () => {
    const stems = descriptionRules.rules.map(({ code, slug }) => `${code}-${slug}`);
    for (const name of names) expect(stems).toContain(basename(name, extname(name)));
  });
});
