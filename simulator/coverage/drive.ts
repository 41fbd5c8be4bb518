// SPDX-License-Identifier: Apache-2.0
// The launches whose coverage is measured: the suite, every hypercall failing, and every number of
// a header and of a small plan at the edges of its bounds. The same ones each time.

import { createHash } from "node:crypto";
import { encodeImage } from "../../compiler/image/encode-image.js";
import type { Plan, PlanDomain, PlanOperation } from "../../compiler/plan/plan.js";
import { DomainRecord, ImageHeader, PlanHeader } from "../../contract/image.js";
import * as limits from "../../contract/limits.js";
import { XEN_ENOMEM } from "../../contract/xen-abi.js";
import { compiled } from "../../lab/lab-bench.js";
import { hypercallNames } from "../../xen-model/hypercalls.js";
import { type SuiteCase, suite } from "../suite.js";

const freePages = 0x100000;

/** Every launch, one after another: thousands of images together would fill the memory. */
export async function* drive(): AsyncGenerator<SuiteCase> {
  yield* await suite();
  const probe = { kernel: "build/guests/probe.elf", memory: "4 MiB" } as const;
  const { image, plan, materials } = await compiled({
    domb: 1,
    domains: {
      first: { ...probe, cmdline: "first", output: "xen-log" },
      second: { ...probe, cmdline: "second" },
    },
  });
  const bytes = materials.map((material) => material.bytes);
  yield* failures(image);
  yield* headers(image);
  yield* planWords(small(plan, bytes));
  yield* plans(plan, bytes);
}

function launch(name: string, image: Uint8Array, faults: SuiteCase["faults"] = []): SuiteCase {
  return { name, image, freePages, faults };
}

/** Hypercalls that fail, alone and together with the undoing; too little memory. */
function* failures(image: Uint8Array): Generator<SuiteCase> {
  const noMemory = { answer: -XEN_ENOMEM, done: 0 };
  for (const hypercall of hypercallNames) {
    for (let occurrence = 1; occurrence <= 4; occurrence++) {
      const fault = { hypercall, occurrence, ...noMemory };
      const name = `${hypercall} ${occurrence} fails`;
      yield launch(name, image, [fault]);
      const destroy = { hypercall: "destroy", occurrence: 1, ...noMemory } as const;
      yield launch(`${name}, and the first destroy`, image, [fault, destroy]);
    }
  }
  yield launch("fewer extents than asked for", image, [
    { hypercall: "populate", occurrence: 1, answer: 5, done: 5 },
  ]);
  yield launch("Xen answers more than 0", image, [
    { hypercall: "copy", occurrence: 1, answer: 1, done: 1 },
  ]);
  for (const pages of [0, 100, 1000, 2000]) {
    yield { ...launch(`${pages} free pages`, image), freePages: pages };
  }
}

const wild = [0, 1, 2, 63, 64, 65, 0x7fffffff, 0x80000000, 0xfffff000, 0xffffffff];

/** An image cut short, and each number of its header at edges. */
function* headers(image: Uint8Array): Generator<SuiteCase> {
  for (const bytes of [0, 1, ImageHeader.size - 1, ImageHeader.size, image.length - 1]) {
    yield launch(`image cut to ${bytes} bytes`, image.slice(0, bytes));
  }
  const edges = [limits.MAX_IMAGE_BYTES, image.length, 15, 16, 0x70000 - 128, 0x20000, 0x70000];
  for (let field = 0; field < ImageHeader.planDigest + 4; field += 4) {
    for (const value of withNeighbours([...wild, ...edges])) {
      const changed = image.slice();
      new DataView(changed.buffer).setUint32(field, value, true);
      yield launch(`header word ${field / 4} is ${value}`, changed);
    }
  }
}

/** A plan of one domain with each kind of operation once. */
function small({ domains, materials, operations }: Plan, bytes: readonly Uint8Array[]): Uint8Array {
  const [domain] = domains;
  const once = new Map(operations.toReversed().map((operation) => [operation.kind, operation]));
  const kinds = [...once.values()].toReversed();
  if (domain === undefined) throw new Error("bug: a launch without domains was compiled");
  const step = { domain: 0, firstOperation: 0, operationCount: kinds.length, afterStep: 0 };
  return encodeImage({ domains: [domain], materials, operations: kinds, steps: [step] }, bytes);
}

/** Each word of the plan at the edges of every bound, with the plan's digest right. */
function* planWords(image: Uint8Array): Generator<SuiteCase> {
  yield launch("a small plan", image);
  const words = new DataView(image.buffer).getUint32(ImageHeader.planBytes, true) / 4;
  const bounds = Object.values(limits).filter((limit) => limit > 1);
  const values = withNeighbours([...wild, ...bounds, image.length]);
  for (let word = 0; word < words; word++) {
    for (const value of values) {
      yield launch(`plan word ${word} is ${value}`, withPlanWord(image, word, value));
    }
  }
}

function withPlanWord(image: Uint8Array, word: number, value: number): Uint8Array {
  return withPlan(image, (plan) => plan.setUint32(word * 4, value, true));
}

/** The image with its plan changed, and the plan's digest made right again. */
function withPlan(image: Uint8Array, change: (plan: DataView) => void): Uint8Array {
  const changed = image.slice();
  const header = new DataView(changed.buffer);
  const offset = header.getUint32(ImageHeader.planOffset, true);
  const bytes = header.getUint32(ImageHeader.planBytes, true);
  change(new DataView(changed.buffer, offset, bytes));
  const digest = createHash("sha256")
    .update(changed.subarray(offset, offset + bytes))
    .digest();
  changed.set(digest, ImageHeader.planDigest);
  return changed;
}

function withNeighbours(values: readonly number[]): readonly number[] {
  const all = values.flatMap((value) => [value - 1, value, value + 1]);
  return [...new Set(all.map((value) => value >>> 0))];
}

/** Plans that no compiler makes, each for a place that the words alone do not reach. */
function* plans({ domains, ...plan }: Plan, bytes: readonly Uint8Array[]): Generator<SuiteCase> {
  const [first] = domains;
  if (first === undefined) throw new Error("bug: a launch without domains was compiled");
  const domain: PlanDomain = { ...first, memoryPages: 2048 };
  const whole = (operations: readonly PlanOperation[], materials = plan.materials): Plan => {
    const step = { domain: 0, firstOperation: 0, operationCount: operations.length, afterStep: 0 };
    return { domains: [domain], materials, operations, steps: [step] };
  };
  const of = (kind: PlanOperation["kind"]): PlanOperation => {
    const found = plan.operations.find((operation) => operation.kind === kind);
    if (found === undefined) throw new Error(`bug: the plan has no ${kind}`);
    return found;
  };
  const begin = (["createDomain", "allocateVcpus", "setPagingPool", "limitMemory"] as const).map(
    of,
  );

  for (const kind of ["copy", "setContext"] as const) {
    const image = encodeImage(whole([...begin, of("populate"), of(kind)]), bytes);
    yield launch(`${kind} of what was not verified`, image);
  }
  yield launch("two starts", encodeImage(whole([...begin, of("start"), of("start")]), bytes));

  const populate = { kind: "populate", frame: 0, count: 1200, order: 0 } as const;
  const batches = encodeImage(whole([...begin, populate]), bytes);
  yield launch("three batches of extents", batches);
  const second = { hypercall: "populate", occurrence: 2 } as const;
  yield launch("the second batch fails", batches, [{ ...second, answer: -XEN_ENOMEM, done: 0 }]);
  yield launch("the second batch does a part", batches, [{ ...second, answer: 7, done: 7 }]);

  const steps = [2, 0].map((afterStep, index) => {
    return { domain: 0, firstOperation: index, operationCount: 1, afterStep };
  });
  const kinds = [of("allocateVcpus"), of("createDomain")];
  yield launch("a step after a later one", encodeImage({ ...whole(kinds), steps }, bytes));

  const many = Array.from({ length: limits.MAX_OPERATIONS }, () => of("limitMemory"));
  const overwork = whole(many, []);
  const five = Array.from({ length: 5 }, () => overwork.steps).flat();
  yield launch("more work than is allowed", encodeImage({ ...overwork, steps: five }, []));

  const nameless = encodeImage(whole(begin), bytes);
  const name = PlanHeader.size + DomainRecord.name;
  yield launch(
    "a name without an end",
    withPlan(nameless, (view) => {
      for (let byte = 0; byte < limits.NAME_BYTES; byte++) view.setUint8(name + byte, 0x61);
    }),
  );

  for (const size of [0xf000, 0x1e000, 0x1e001, 0x1f03f]) {
    const content = Uint8Array.from({ length: size }, (_, index) => index % 251);
    const digest = createHash("sha256").update(content).digest("hex");
    const material = { kind: "ramdisk", offset: limits.PAGE_SIZE, bytes: size, digest } as const;
    const verify = { kind: "verify", material: 0 } as const;
    const image = encodeImage(whole([verify], [material]), [content]);
    yield launch(`a material of ${size} bytes`, image);
    const tailed = image.slice();
    tailed[tailed.length - 1] = 1;
    yield launch(`a material of ${size} bytes, and a last byte that is not zero`, tailed);
  }
}
