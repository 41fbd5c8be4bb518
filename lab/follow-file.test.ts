// SPDX-License-Identifier: Apache-2.0

import { appendFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { followLines } from "./follow-file.js";

describe("following a file", () => {
  it("gives every line once and in order, however the writer cuts them", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: fc.constantFrom("a", "é", "\n", " ") }), { maxLength: 12 }),
        async (pieces) => {
          const directory = await mkdtemp(join(tmpdir(), "domb-follow-"));
          const path = join(directory, "lines");
          await writeFile(path, "");
          const write = async (): Promise<void> => {
            for (const piece of pieces) await appendFile(path, piece);
          };
          const lines: string[] = [];
          await followLines(path, write(), (line) => lines.push(line));
          await rm(directory, { recursive: true });
          expect(lines).toEqual(
            pieces
              .join("")
              .split("\n")
              .filter((line, index, all) => line !== "" || index < all.length - 1),
          );
        },
      ),
      { numRuns: 50 },
    );
  });

  it("takes carriage returns off the ends of lines", async () => {
    const directory = await mkdtemp(join(tmpdir(), "domb-follow-"));
    const path = join(directory, "lines");
    await writeFile(path, "one\r\ntwo\r\n");
    const lines: string[] = [];
    await followLines(path, Promise.resolve(), (line) => lines.push(line));
    await rm(directory, { recursive: true });
    expect(lines).toEqual(["one", "two"]);
  });
});
