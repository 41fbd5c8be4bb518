// SPDX-License-Identifier: Apache-2.0
// Plans at what tables and loops of the boot domain hold at most, and what only they reach: batches
// of extents, materials around the size of a piece, names without an end, too much work.

import { createHash } from "node:crypto";
import { encodeImage } from "../../compiler/image/encode-image.js";
import {
  noPolicy,
  noReserve,
  type Plan,
  type PlanDomain,
  type PlanOperation,
  unguarded,
} from "../../compiler/plan/plan.js";
import { DomainRecord, HEADERS_END, PlanHeader } from "../../contract/image.js";
import * as limits from "../../contract/limits.js";
import { XEN_ENOMEM } from "../../contract/xen-abi.js";
import { type BaseLaunch, withPlanWords } from "./base-launch.js";
import { PLENTY_PAGES, type SuiteCase } from "./suite-case.js";

/** Where materials begin behind a small plan. */
const MATERIALS = HEADERS_END + limits.PAGE_SIZE;

function launch(name: string, image: Uint8Array, faults: SuiteCase["faults"] = []): SuiteCase {
  return { name: `limits: ${name}`, image, freePages: PLENTY_PAGES, faults };
}

/** Each limit once. */
export function* limitCases({
  architecture,
  plan,
  materials: bytes,
}: BaseLaunch): Generator<SuiteCase, undefined> {
  const encoded = (encodedPlan: Plan, materials: readonly Uint8Array[]): Uint8Array =>
    encodeImage(encodedPlan, materials, { architecture });
  const [first] = plan.domains;
  if (first === undefined) throw new Error("bug: a launch without domains was compiled");
  const domain: PlanDomain = { ...first, memoryPages: 2048 };
  const whole = (operations: readonly PlanOperation[], materials = plan.materials): Plan => {
    const step = {
      domain: 0,
      firstOperation: 0,
      operationCount: operations.length,
      afterStep: 0,
      ...unguarded,
    };
    const tables = { domains: [domain], materials, operations, steps: [step], guards: [] };
    return { dropped: 0, ...noPolicy, ...noReserve, ...tables };
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
    const image = encoded(whole([...begin, of("populate"), of(kind)]), bytes);
    yield launch(`${kind} of what was not verified`, image);
  }
  yield launch("two starts", encoded(whole([...begin, of("start"), of("start")]), bytes));

  const populate = { kind: "populate", frame: 0, count: 1200, order: 0 } as const;
  const batches = encoded(whole([...begin, populate]), bytes);
  yield launch("three batches of extents", batches);
  const second = { hypercall: "populate", occurrence: 2 } as const;
  yield launch("the second batch fails", batches, [{ ...second, answer: -XEN_ENOMEM, done: 0 }]);
  yield launch("the second batch does a part", batches, [{ ...second, answer: 7, done: 7 }]);

  const steps = [2, 0].map((afterStep, index) => {
    return { domain: 0, firstOperation: index, operationCount: 1, afterStep, ...unguarded };
  });
  const kinds = [of("allocateVcpus"), of("createDomain")];
  yield launch("a step after a later one", encoded({ ...whole(kinds), steps }, bytes));

  const many = Array.from({ length: limits.MAX_OPERATIONS }, () => of("limitMemory"));
  const overwork = whole(many, []);
  const five = Array.from({ length: 5 }, () => overwork.steps).flat();
  yield launch("more work than is allowed", encoded({ ...overwork, steps: five }, []));

  const name = (PlanHeader.size + DomainRecord.name) / 4;
  const endless = Array.from({ length: limits.NAME_BYTES / 4 }, (_, word) => {
    return [name + word, 0x61616161] as const;
  });
  yield launch("a name without an end", withPlanWords(encoded(whole(begin), bytes), endless));

  const large = new Uint8Array(limits.MAX_CONTEXT_BYTES + 1);
  const digest = createHash("sha256").update(large).digest("hex");
  const offset = MATERIALS;
  const material = { kind: "vcpuContext", offset, bytes: large.length, digest } as const;
  const tooLarge = whole([{ kind: "setContext", material: 0 }], [material]);
  yield launch("a context that is too large", encoded(tooLarge, [large]));

  for (const size of [0xf000, 0x1e000, 0x1e001, 0x1f03f]) {
    const content = Uint8Array.from({ length: size }, (_, index) => index % 251);
    const digest = createHash("sha256").update(content).digest("hex");
    const material = { kind: "ramdisk", offset: MATERIALS, bytes: size, digest } as const;
    const verify = { kind: "verify", material: 0 } as const;
    const image = encoded(whole([verify], [material]), [content]);
    yield launch(`a material of ${size} bytes`, image);
    const tailed = image.slice();
    tailed[tailed.length - 1] = 1;
    yield launch(`a material of ${size} bytes, and a last byte that is not zero`, tailed);
  }
}
