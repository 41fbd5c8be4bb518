// SPDX-License-Identifier: Apache-2.0

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { paths } from "../setup/paths.js";
import { generatedPages } from "./generate.js";

describe("the generated pages of docs/", () => {
  it("are what the sources say; `npm run docs` writes them anew", async () => {
    for (const [name, text] of await generatedPages()) {
      expect(await readFile(join(paths.checkout, "docs", name), "utf8"), name).toBe(text);
    }
  });
});
