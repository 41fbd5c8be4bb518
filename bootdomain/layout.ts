// SPDX-License-Identifier: Apache-2.0
// Where the boot domain's tables lie in its linear memory, read from assembly/memory.ts, and what
// lies between them, which nothing may write.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  DomainRecord,
  GUARD_BYTES,
  ImageHeader,
  MaterialRecord,
  OperationRecord,
  PlanHeader,
  StepRecord,
} from "../contract/image.js";
import * as limits from "../contract/limits.js";
import { ReceiptDomain, ReceiptHeader, ReceiptStep } from "../contract/receipt.js";
import { SIGNATURE_BYTES, TrustRecord } from "../contract/trust.js";
import { xen_domctl_size, xen_sysctl_size } from "../contract/xen-abi.js";
import { paths } from "../setup/paths.js";

/** Two blocks of SHA-256, which the padding of a digest may overwrite. */
const PADDING = 128;

/** Parts of a receipt: the main plan's, the recovery plan's. */
const MOST_PARTS = 2;

/** A set of physical CPUs. */
const CPU_SET_BYTES = 8;

/** FIPS 205, 11.2, 5.1 and table 2, of SLH-DSA-SHA2-128s: what its largest hash takes in. */
const ADDRESS_BYTES = 22;
const MOST_NODES = 35;
const NODE_BYTES = 16;

/** A table: from `start`, what it needs at most in bytes, and where the next one begins. */
export interface Table {
  readonly name: string;
  readonly start: number;
  readonly bytes: number;
  readonly next: number;
}

/** The tables in the order of their addresses. */
export async function readTables(): Promise<readonly Table[]> {
  const source = await readFile(join(paths.checkout, "bootdomain/assembly/memory.ts"), "utf8");
  const constants = new Map(
    [...source.matchAll(/^export const (\w+): u32 = (0x[0-9a-f]+);$/gm)].map(([, name, value]) => [
      name,
      Number(value),
    ]),
  );
  const of = (name: string): number => {
    const value = constants.get(name);
    if (value === undefined) throw new Error(`assembly/memory.ts has no ${name}`);
    return value;
  };
  const plan =
    PlanHeader.size +
    limits.MAX_DOMAINS * DomainRecord.size +
    limits.MAX_MATERIALS * MaterialRecord.size +
    limits.MAX_STEPS * StepRecord.size +
    limits.MAX_GUARDS * GUARD_BYTES +
    limits.MAX_OPERATIONS * OperationRecord.size;
  const receiptPart =
    ReceiptHeader.size +
    limits.MAX_DOMAINS * ReceiptDomain.size +
    limits.MAX_STEPS * ReceiptStep.size;
  const needs: readonly (readonly [name: string, bytes: number])[] = [
    ["PLAN", Math.max(plan + PADDING, of("PLAN_BYTES"))],
    ["PIECE", Math.max(of("PIECE_BYTES") + PADDING, limits.MAX_CONTEXT_BYTES)],
    ["FRAMES", limits.POPULATE_BATCH * 8],
    ["RECEIPT", MOST_PARTS * receiptPart],
    ["VERIFIED", limits.MAX_MATERIALS],
    ["DONE", limits.MAX_STEPS],
    ["ARGUMENT", Math.max(xen_domctl_size, xen_sysctl_size)],
    ["CPUS", CPU_SET_BYTES],
    ["DIGEST", limits.DIGEST_BYTES],
    ["HEADER", ImageHeader.size],
    ["TRUST", TrustRecord.size],
    ["LINE", of("LINE_BYTES")],
    ["SIGNATURE", SIGNATURE_BYTES],
    ["HASHED", ADDRESS_BYTES + MOST_NODES * NODE_BYTES + PADDING],
    ["NODES", MOST_NODES * NODE_BYTES],
    ["SEED_STATE", limits.DIGEST_BYTES],
    ["INDICES", limits.DIGEST_BYTES],
  ];
  return needs.map(([name, bytes], index) => {
    const next = of(needs[index + 1]?.[0] ?? "END");
    return { name, start: of(name), bytes, next };
  });
}

/** From and to, in bytes, of what no table covers: constants below the first, then gaps. */
export function gapsOf(tables: readonly Table[]): readonly (readonly [number, number])[] {
  const below = [0, tables[0]?.start ?? 0] as const;
  const between = tables.map(({ start, bytes, next }) => [start + bytes, next] as const);
  return [below, ...between].filter(([from, to]) => from < to);
}
