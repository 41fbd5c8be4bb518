// SPDX-License-Identifier: Apache-2.0
// The checks of the source itself: format, lint, types, boundaries between rooms, spelling.

import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { paths } from "../setup/paths.js";
import { rooms } from "./rooms.js";

async function complaints(command: string, ...options: string[]): Promise<string> {
  const { all, exitCode } = await execa(command, options, {
    cwd: paths.checkout,
    preferLocal: true,
    reject: false,
    all: true,
  });
  return exitCode === 0 ? "" : all;
}

describe("the sources", () => {
  it("are formatted and free of what the linter finds", async () => {
    expect(await complaints("biome", "check", "--error-on-warnings", ".")).toBe("");
  });

  it("have sound types", async () => {
    expect(await complaints("tsc", "--noEmit", "--incremental", "false")).toBe("");
  });

  it("import from room to room in one direction only", async () => {
    expect(await complaints("depcruise", "--config", ".dependency-cruiser.cjs", ...rooms)).toBe("");
  });

  it("are spelt well in all that people read", async () => {
    expect(
      await complaints("cspell", "--no-progress", "--no-summary", "**/*.md", "examples/**"),
    ).toBe("");
  });
});
