// SPDX-License-Identifier: Apache-2.0
// A launch's receipt as a file, schema domb.receipt/1: what `domb boot --receipt` and `domb simulate
// --receipt` write. Whoever gives one may have changed it: every value is within its bounds here.

import { z } from "zod";
import { MAX_DOMAINS, MAX_OPERATIONS, MAX_STEPS, NAME_BYTES } from "../contract/limits.js";
import { type DomainStateName, domainStates, type Receipt } from "../xen-model/receipt.js";

/** What a receipt's file says that it is. */
export const RECEIPT_SCHEMA = "domb.receipt/1";
/** The most characters that a receipt of MAX_DOMAINS and MAX_STEPS has, indented, and some. */
export const MAX_RECEIPT_CHARACTERS = 0x100000;

const stateNames = Object.keys(domainStates) as DomainStateName[];
const ticks = z.int().min(0);
const number32 = z.int().min(0).max(0xffffffff);
const errno = z.int().min(0).max(4095);

const domain = z.object({
  name: z
    .string()
    .max(NAME_BYTES - 1)
    .regex(/^[\x20-\x7e]*$/),
  domid: z.int().min(0).max(0x7fff),
  state: z.enum(stateNames),
  createdAt: ticks,
  startedAt: ticks,
  signalledAt: ticks,
  readyAt: ticks,
  endedAt: ticks,
  destroyedAt: ticks,
  endReason: number32,
  status: number32,
  operation: z.int().min(0).max(MAX_OPERATIONS),
  error: errno,
});

const part = z.object({
  status: number32,
  step: z.int().min(0).max(MAX_STEPS),
  operation: z.int().min(0).max(MAX_OPERATIONS),
  domain: z.int().min(0).max(MAX_DOMAINS),
  error: errno,
  verifiedBy: number32,
  launchVersion: number32,
  clockKilohertz: z.int().min(1).max(0xffffffff),
  beganAt: ticks,
  endedAt: ticks,
  digestTicks: ticks,
  populateTicks: ticks,
  copyTicks: ticks,
  clearTicks: ticks,
  waitTicks: ticks,
  planDigest: z.string().regex(/^[0-9a-f]{64}$/),
  domains: z.array(domain).max(MAX_DOMAINS),
  steps: z.array(z.object({ beganAt: ticks, endedAt: ticks })).max(MAX_STEPS),
});

const receipt = z.object({
  schema: z.literal(RECEIPT_SCHEMA),
  ...part.shape,
  main: part.optional(),
});

export type ReadReceipt =
  | { readonly ok: true; readonly receipt: Receipt }
  | { readonly ok: false; readonly problem: string };

/** Reads a receipt's file; `problem` is the first thing that is wrong with it. */
export function readReceipt(text: string): ReadReceipt {
  if (text.length > MAX_RECEIPT_CHARACTERS) {
    const problem = `it has ${text.length} characters, wanted ${MAX_RECEIPT_CHARACTERS} at most`;
    return { ok: false, problem };
  }
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return { ok: false, problem: "it is no JSON document" };
  }
  const read = receipt.safeParse(document);
  if (read.success) {
    const { main, schema: _, ...last } = read.data;
    return { ok: true, receipt: main === undefined ? last : { ...last, main } };
  }
  const [first] = read.error.issues;
  const place = first === undefined || first.path.length === 0 ? "" : `${first.path.join(".")}: `;
  return { ok: false, problem: `${place}${first?.message ?? "it is no receipt"}` };
}
