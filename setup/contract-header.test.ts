// SPDX-License-Identifier: Apache-2.0

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import * as limits from "../contract/limits.js";
import { LaunchStatus, ReceiptDomain, ReceiptHeader } from "../contract/receipt.js";
import { contractHeader } from "./contract-header.js";
import { paths } from "./paths.js";

async function headerOf(...files: readonly string[]): Promise<string> {
  const read = files.map((file) => readFile(join(paths.checkout, "contract", file), "utf8"));
  return contractHeader(await Promise.all(read), ["LaunchStatus"]);
}

test("a header has the values that TypeScript has", async () => {
  const header = await headerOf("receipt.ts", "limits.ts");
  const number = (name: string) =>
    Number(new RegExp(`(?:#define ${name} |\\b${name} = )(\\w+)`).exec(header)?.[1]);
  for (const [name, value] of Object.entries(limits)) expect(number(name), name).toBe(value);
  expect(number("ReceiptHeader_clockKilohertz")).toBe(ReceiptHeader.clockKilohertz);
  expect(number("ReceiptHeader_size")).toBe(ReceiptHeader.size);
  expect(number("ReceiptDomain_destroyedAt")).toBe(ReceiptDomain.destroyedAt);
  expect(number("LaunchStatus_late")).toBe(LaunchStatus.late);
});

test("a header has the words of an enum that is to be told, and of no other", async () => {
  const header = await headerOf("receipt.ts");
  expect(header).toContain('[LaunchStatus_late] = "a domain was not ready in time",');
  expect(header).toContain('[LaunchStatus_hypercall] = "Xen refused a hypercall",');
  expect(header).not.toContain("ReceiptHeader_texts");
});
