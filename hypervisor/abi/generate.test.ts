// SPDX-License-Identifier: Apache-2.0

import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { paths } from "../../setup/paths.js";
import { generateXenAbi, xenAbiPath } from "./generate.js";

describe("Xen's constants in contract/xen-abi.ts", () => {
  it("are what the patched Xen's public headers say", async () => {
    expect(await readFile(xenAbiPath, "utf8")).toBe(await generateXenAbi(paths.xenInclude()));
  });
});
