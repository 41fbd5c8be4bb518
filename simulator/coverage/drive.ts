// SPDX-License-Identifier: Apache-2.0
// The launches whose coverage is measured: the suite, arm64's contexts, and every number of a small
// plan at the edges of its bounds. The same ones each time.

import { encodeImage } from "../../compiler/image/encode-image.js";
import { unguarded } from "../../compiler/plan/plan.js";
import { ImageHeader } from "../../contract/image.js";
import * as limits from "../../contract/limits.js";
import { type BaseLaunch, baseLaunches, withPlanWords } from "../suite/base-launch.js";
import { plainCase } from "../suite/suite-case.js";
import { type SuiteCase, suite } from "../suite.js";

/** Every launch, one after another: thousands of images together would fill the memory. */
export async function* drive(): AsyncGenerator<SuiteCase> {
  yield* await suite();
  for (const launch of await suite("arm64")) if (launch.name.startsWith("context")) yield launch;
  const { one } = await baseLaunches();
  yield* planWords(small(one));
}

const wild = [0, 1, 2, 63, 64, 65, 0x7fffffff, 0x80000000, 0xfffff000, 0xffffffff];

/** A plan of one domain with each kind of operation once. */
function small({ plan, materials }: BaseLaunch): Uint8Array {
  const once = new Map(
    plan.operations.toReversed().map((operation) => [operation.kind, operation]),
  );
  const clear = { kind: "clear", frame: 0, count: 1 } as const;
  const operations = [...once.values(), clear].toReversed();
  const step = {
    domain: 0,
    firstOperation: 0,
    operationCount: operations.length,
    afterStep: 0,
    ...unguarded,
  };
  return encodeImage({ ...plan, operations, steps: [step] }, materials);
}

/** Each word of the plan at the edges of every bound, with the plan's digest right. */
function* planWords(image: Uint8Array): Generator<SuiteCase> {
  yield plainCase("a small plan", image);
  const words = new DataView(image.buffer).getUint32(ImageHeader.planBytes, true) / 4;
  const bounds = Object.values(limits).filter((limit) => limit > 1);
  const values = withNeighbours([...wild, ...bounds, image.length]);
  for (let word = 0; word < words; word++) {
    for (const value of values) {
      yield plainCase(`plan word ${word} is ${value}`, withPlanWords(image, [[word, value]]));
    }
  }
}

function withNeighbours(values: readonly number[]): readonly number[] {
  const all = values.flatMap((value) => [value - 1, value, value + 1]);
  return [...new Set(all.map((value) => value >>> 0))];
}
