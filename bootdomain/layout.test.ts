// SPDX-License-Identifier: Apache-2.0
// The boot domain's tables hold what contract/ allows at its maxima, and do not overlap.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import {
  DomainRecord,
  ImageHeader,
  MaterialRecord,
  OperationRecord,
  PlanHeader,
  StepRecord,
} from "../contract/image.js";
import {
  DIGEST_BYTES,
  MAX_CONTEXT_BYTES,
  MAX_DOMAINS,
  MAX_MATERIALS,
  MAX_OPERATIONS,
  MAX_STEPS,
  POPULATE_BATCH,
} from "../contract/limits.js";
import { ReceiptDomain, ReceiptHeader } from "../contract/receipt.js";
import { xen_domctl_size } from "../contract/xen-abi.js";
import { paths } from "../setup/paths.js";

/** Two blocks of SHA-256, which the padding of a digest may overwrite. */
const PADDING = 128;

let layout: Readonly<Record<string, number>>;

beforeAll(async () => {
  const source = await readFile(join(paths.checkout, "bootdomain/assembly/memory.ts"), "utf8");
  const constants = source.matchAll(/^export const (\w+): u32 = (0x[0-9a-f]+);$/gm);
  layout = Object.fromEntries([...constants].map(([, name, value]) => [name, Number(value)]));
});

describe("the boot domain's linear memory", () => {
  it("has room for each table at its maximum before the next begins", () => {
    const tables = [
      MAX_DOMAINS * DomainRecord.size,
      MAX_MATERIALS * MaterialRecord.size,
      MAX_STEPS * StepRecord.size,
      MAX_OPERATIONS * OperationRecord.size,
    ];
    const needs: readonly (readonly [string, number])[] = [
      ["PLAN", PlanHeader.size + tables.reduce((sum, bytes) => sum + bytes) + PADDING],
      ["PIECE", Math.max((layout.PIECE_BYTES ?? 0) + PADDING, MAX_CONTEXT_BYTES)],
      ["FRAMES", POPULATE_BATCH * 8],
      ["RECEIPT", ReceiptHeader.size + MAX_DOMAINS * ReceiptDomain.size],
      ["VERIFIED", MAX_MATERIALS],
      ["DONE", MAX_STEPS],
      ["ARGUMENT", xen_domctl_size],
      ["DIGEST", DIGEST_BYTES],
      ["HEADER", ImageHeader.size],
      ["LINE", layout.LINE_BYTES ?? 0],
    ];
    const starts = [...needs.map(([name]) => layout[name] ?? 0), layout.END ?? 0];
    for (const [index, [name, bytes]] of needs.entries()) {
      const room = (starts[index + 1] ?? 0) - (starts[index] ?? 0);
      expect(room, name).toBeGreaterThanOrEqual(bytes);
    }
  });

  it("has room for the plan that image.ts accepts at most", () => {
    expect((layout.PLAN ?? 0) + (layout.PLAN_BYTES ?? 0)).toBeLessThanOrEqual(layout.PIECE ?? 0);
  });
});
