// SPDX-License-Identifier: Apache-2.0
// A launch's receipt as a JSON document, schema domb.receipt/1, which outlives the boot domain. Whoever
// gives one may have changed it: what is read here has every field, no other, each within its bounds.

import {
  DIGEST_BYTES,
  MAX_DOMAINS,
  MAX_DOMID,
  MAX_OPERATIONS,
  MAX_STEPS,
  NAME_BYTES,
} from "../contract/limits.js";
import { TRUSTED_KEYS } from "../contract/trust.js";
import {
  type DomainReceipt,
  type DomainStateName,
  domainStates,
  type Receipt,
  type ReceiptPart,
  type StepReceipt,
} from "./receipt.js";

/** What the document says that it is. */
export const RECEIPT_SCHEMA = "domb.receipt/1";
/** More characters than any receipt has, indented. */
const MOST_CHARACTERS = 0x100000;

export type ReadReceipt =
  | { readonly ok: true; readonly receipt: Receipt }
  /** `problem` has the place, what is there, and what is wanted. */
  | { readonly ok: false; readonly problem: string };

/** The document, indented; readReceipt() gives the same receipt back. */
export function formatReceipt({ main, ...last }: Receipt): string {
  const document = { schema: RECEIPT_SCHEMA, ...last, ...(main === undefined ? {} : { main }) };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Reads a document, or says the first thing that is wrong with it. */
export function readReceipt(text: string): ReadReceipt {
  if (text.length > MOST_CHARACTERS) {
    const problem = `the document has ${text.length} characters, wanted ${MOST_CHARACTERS} at most`;
    return { ok: false, problem };
  }
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    return { ok: false, problem: `the document is no JSON: ${(error as Error).message}` };
  }
  try {
    return { ok: true, receipt: readDocument(document) };
  } catch (error) {
    if (error instanceof Misplaced) return { ok: false, problem: error.message };
    throw error;
  }
}

/** A value that is not what it must be. */
class Misplaced extends Error {
  constructor(place: string, found: unknown, wanted: string) {
    const shown = found === undefined ? "missing" : JSON.stringify(found).slice(0, 60);
    super(`${place} is ${shown}, wanted ${wanted}`);
  }
}

/** Reads the value at a place, or throws what is wrong with it. */
type Reader<Value> = (value: unknown, place: string) => Value;
type Readers<Record> = { readonly [Key in keyof Record]: Reader<Record[Key]> };

function numberTo(most: number, least = 0): Reader<number> {
  return (value, place) => {
    if (Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most) {
      return Number(value);
    }
    throw new Misplaced(place, value, `a whole number from ${least} to ${most}`);
  };
}

function textOf(form: RegExp, wanted: string): Reader<string> {
  return (value, place) => {
    if (typeof value === "string" && form.test(value)) return value;
    throw new Misplaced(place, value, wanted);
  };
}

function listOf<Value>(item: Reader<Value>, most: number): Reader<readonly Value[]> {
  return (value, place) => {
    if (!Array.isArray(value)) throw new Misplaced(place, value, "a list");
    if (value.length > most)
      throw new Misplaced(`length of ${place}`, value.length, `${most} at most`);
    return value.map((one, index) => item(one, `${place}[${index}]`));
  };
}

function recordOf<Value extends object>(readers: Readers<Value>): Reader<Value> {
  return (value, place) => {
    const given = fieldsOf(value, place, Object.keys(readers));
    const read = Object.entries<Reader<unknown>>(readers).map(([key, reader]) => [
      key,
      reader(given[key], place === "" ? key : `${place}.${key}`),
    ]);
    return Object.fromEntries(read) as Value;
  };
}

/** The fields of an object, which has no others than these. */
function fieldsOf(
  value: unknown,
  place: string,
  known: readonly string[],
): Readonly<Record<string, unknown>> {
  const what = place === "" ? "the document" : place;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Misplaced(what, value, "an object");
  }
  const fields = Object.fromEntries(Object.entries(value));
  const stray = Object.keys(fields).find((key) => !known.includes(key));
  if (stray !== undefined) {
    throw new Misplaced(`${what}'s field ${JSON.stringify(stray)}`, fields[stray], "no such field");
  }
  return fields;
}

const number32 = numberTo(0xffffffff);
const ticks = numberTo(Number.MAX_SAFE_INTEGER);
const errno = numberTo(4095);
const operation = numberTo(MAX_OPERATIONS);
const stateNames = Object.keys(domainStates);

const domain = recordOf<DomainReceipt>({
  name: textOf(
    new RegExp(`^[\\x21-\\x7e]{1,${NAME_BYTES - 1}}$`),
    `a name of 1 to ${NAME_BYTES - 1} characters`,
  ),
  domid: numberTo(MAX_DOMID),
  state: (value, place) => {
    if (stateNames.includes(String(value))) return value as DomainStateName;
    throw new Misplaced(place, value, `one of ${stateNames.join(", ")}`);
  },
  ...{ createdAt: ticks, startedAt: ticks, signalledAt: ticks, readyAt: ticks },
  ...{ endedAt: ticks, destroyedAt: ticks, endReason: number32 },
  ...{ status: number32, operation, error: errno },
});

const step = recordOf<StepReceipt>({ beganAt: ticks, endedAt: ticks });

const partReaders: Readers<ReceiptPart> = {
  status: number32,
  step: numberTo(MAX_STEPS),
  operation,
  domain: numberTo(MAX_DOMAINS),
  error: errno,
  verifiedBy: numberTo(TRUSTED_KEYS),
  launchVersion: number32,
  clockKilohertz: numberTo(0xffffffff, 1),
  ...{ beganAt: ticks, endedAt: ticks, digestTicks: ticks, populateTicks: ticks },
  ...{ copyTicks: ticks, clearTicks: ticks, waitTicks: ticks },
  planDigest: textOf(
    new RegExp(`^[0-9a-f]{${2 * DIGEST_BYTES}}$`),
    `${2 * DIGEST_BYTES} hexadecimal digits`,
  ),
  domains: listOf(domain, MAX_DOMAINS),
  steps: listOf(step, MAX_STEPS),
};

function readDocument(document: unknown): Receipt {
  const known = ["schema", ...Object.keys(partReaders), "main"];
  const { schema, main, ...last } = fieldsOf(document, "", known);
  if (schema !== RECEIPT_SCHEMA)
    throw new Misplaced("schema", schema, JSON.stringify(RECEIPT_SCHEMA));
  const part = recordOf(partReaders);
  const read = part(last, "");
  return main === undefined ? read : { ...read, main: part(main, "main") };
}
