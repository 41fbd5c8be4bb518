// SPDX-License-Identifier: Apache-2.0
// Cases made from a launch image and a seed: bytes flipped, cut, spliced and swapped, numbers at
// every limit, digests made right again so that the changes get past them; with faults, little
// memory or a hostile host. The same image and seed give the same case.

import { createHash } from "node:crypto";
import {
  DomainRecord,
  ImageHeader,
  MaterialRecord,
  OperationRecord,
  PlanHeader,
  StepRecord,
} from "../contract/image.js";
import * as limits from "../contract/limits.js";
import { errnos } from "../xen-model/errno.js";
import { failuresOn } from "../xen-model/failures.js";
import type { Fault } from "./faults.js";
import { formatFault } from "./faults.js";
import { hostArchitectureOf } from "./machine.js";
import { SeededNumbers } from "./seeded.js";

export interface FuzzCase {
  readonly image: Uint8Array;
  readonly freePages: number;
  readonly faults: readonly Fault[];
  /** What drives a hostile host; undefined: the host is Xen. */
  readonly hostile: SeededNumbers | undefined;
  /** What was done, in words. */
  readonly changes: readonly string[];
}

/** Numbers at which something may turn: every limit of contract/, and its neighbours. */
const turningPoints = [
  ...Object.values(limits).flatMap((limit) => [limit - 1, limit, limit + 1]),
  ...[0, 1, 2, 7, 8, 9, 10, 11, 63, 64, 0x7fffffff, 0x80000000, 0xfffff000, 0xffffffff],
].map((value) => value >>> 0);

/** Free pages of the host at most: enough for the launches that are fuzzed, not for wild ones. */
const MOST_FREE_PAGES = 0x4000;

export function fuzzCase(original: Uint8Array, seed: string): FuzzCase {
  const numbers = new SeededNumbers(seed);
  const changes: string[] = [];
  let image: Uint8Array = original.slice();
  if (numbers.percent(2)) {
    image = noise(numbers, numbers.below(3 * limits.PAGE_SIZE));
    changes.push(`the image is ${image.length} bytes of noise`);
  } else {
    const count = 1 + numbers.below(4);
    for (let index = 0; index < count; index++) {
      const change = numbers.one(mutations);
      const mutated = change(image, numbers);
      image = mutated.image;
      changes.push(mutated.change);
    }
    if (numbers.percent(70) && repairPlanDigest(image)) {
      changes.push("the plan's digest is made right");
    }
  }
  const freePages = numbers.percent(80) ? MOST_FREE_PAGES : numbers.below(2000);
  if (freePages !== MOST_FREE_PAGES) changes.push(`${freePages} pages are free`);
  const faults = numbers.percent(30) ? someFaults(numbers, original) : [];
  changes.push(...faults.map((fault) => `fault ${formatFault(fault)}`));
  const hostile = numbers.percent(10) ? new SeededNumbers(`${seed}:host`) : undefined;
  if (hostile !== undefined) changes.push("the host is hostile");
  return { image, freePages, faults, hostile, changes };
}

function noise(numbers: SeededNumbers, bytes: number): Uint8Array {
  const result = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at++) result[at] = numbers.u32();
  return result;
}

/** One or two failures of the table, anywhere in a launch of the image. */
function someFaults(numbers: SeededNumbers, image: Uint8Array): readonly Fault[] {
  const failures = failuresOn(hostArchitectureOf(image));
  return Array.from({ length: 1 + numbers.below(2) }, () => {
    const { hypercall, answer } = numbers.one(failures);
    const occurrence = 1 + numbers.below(4);
    const done = numbers.below(300);
    if (answer === "fewer") return { hypercall, occurrence, answer: done, done };
    const partial = (hypercall === "copy" || hypercall === "clear") && numbers.percent(50);
    return { hypercall, occurrence, answer: -(errnos.get(answer) ?? 1), done: partial ? done : 0 };
  });
}

interface Mutated {
  readonly image: Uint8Array;
  readonly change: string;
}

type Mutation = (image: Uint8Array, numbers: SeededNumbers) => Mutated;

/** Start and end of the plan, as the header says, within the image. */
function planOf(image: Uint8Array): { readonly start: number; readonly end: number } {
  if (image.length < ImageHeader.size) return { start: 0, end: image.length };
  const view = new DataView(image.buffer);
  const start = Math.min(view.getUint32(ImageHeader.planOffset, true), image.length);
  const end = Math.min(start + view.getUint32(ImageHeader.planBytes, true), image.length);
  return { start, end };
}

/** Makes the plan's digest right for what the plan now is. */
function repairPlanDigest(image: Uint8Array): boolean {
  if (image.length < ImageHeader.size) return false;
  const { start, end } = planOf(image);
  const digest = createHash("sha256").update(image.subarray(start, end)).digest();
  image.set(digest, ImageHeader.planDigest);
  return true;
}

const flipAnywhere: Mutation = (image, numbers) => {
  const bit = numbers.below(image.length * 8);
  return flipped(image, bit);
};

/** An offset in header or plan, whose numbers decide. */
function offsetInPlan(image: Uint8Array, numbers: SeededNumbers): number {
  const { start, end } = planOf(image);
  const offset = numbers.below(ImageHeader.size + Math.max(0, end - start));
  return offset < ImageHeader.size ? offset : start + offset - ImageHeader.size;
}

const flipInPlan: Mutation = (image, numbers) => {
  const offset = offsetInPlan(image, numbers);
  return flipped(image, offset * 8 + numbers.below(8));
};

function flipped(image: Uint8Array, bit: number): Mutated {
  const byte = bit >> 3;
  if (byte < image.length) image[byte] = (image[byte] ?? 0) ^ (1 << (bit & 7));
  return { image, change: `bit ${bit & 7} of byte ${byte} is flipped` };
}

/** A word of header or plan becomes a turning point, or near to what it was. */
const setWord: Mutation = (image, numbers) => {
  const at = offsetInPlan(image, numbers) & ~3;
  if (at + 4 > image.length) return { image, change: "nothing is left to set" };
  const view = new DataView(image.buffer);
  const value = numbers.percent(70)
    ? numbers.one(turningPoints)
    : (view.getUint32(at, true) + numbers.below(5) - 2) >>> 0;
  view.setUint32(at, value, true);
  return { image, change: `the word at byte ${at} becomes 0x${value.toString(16)}` };
};

const cut: Mutation = (image, numbers) => {
  const bytes = numbers.below(image.length);
  return { image: image.slice(0, bytes), change: `the image is cut to ${bytes} bytes` };
};

const splice: Mutation = (image, numbers) => {
  const bytes = 1 + numbers.below(Math.min(256, image.length));
  const from = numbers.below(image.length - bytes + 1);
  const to = numbers.below(image.length - bytes + 1);
  image.copyWithin(to, from, from + bytes);
  return { image, change: `${bytes} bytes from ${from} are copied to ${to}` };
};

/** Two records of one of the plan's tables change places, or one takes the other's. */
const swapRecords: Mutation = (image, numbers) => {
  const { start, end } = planOf(image);
  if (end - start < PlanHeader.size) return { image, change: "no records are left to swap" };
  const view = new DataView(image.buffer, start);
  const tables = [
    { what: "domains", count: PlanHeader.domains, size: DomainRecord.size },
    { what: "materials", count: PlanHeader.materials, size: MaterialRecord.size },
    { what: "steps", count: PlanHeader.steps, size: StepRecord.size },
    { what: "operations", count: PlanHeader.operations, size: OperationRecord.size },
  ];
  const chosen = numbers.below(tables.length);
  let at = start + PlanHeader.size;
  for (const { count, size } of tables.slice(0, chosen)) at += view.getUint32(count, true) * size;
  const table = tables[chosen];
  if (table === undefined) return { image, change: "" };
  const { what, size } = table;
  const records = view.getUint32(table.count, true);
  const [one, other] = [numbers.below(records), numbers.below(records)];
  const [a, b] = [at + one * size, at + other * size];
  if (Math.max(a, b) + size > end) return { image, change: `no ${what} are left to swap` };
  const first = image.slice(a, a + size);
  const both = numbers.percent(60);
  image.copyWithin(a, b, b + size);
  if (both) image.set(first, b);
  const change = both ? "change places" : "become the same";
  return { image, change: `${what} ${one + 1} and ${other + 1} ${change}` };
};

const mutations: readonly Mutation[] = [
  flipAnywhere,
  ...[flipInPlan, flipInPlan],
  ...[setWord, setWord, setWord, setWord],
  cut,
  splice,
  ...[swapRecords, swapRecords],
];
