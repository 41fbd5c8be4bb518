// SPDX-License-Identifier: Apache-2.0
// Plans that no compiler would make, with right digests: every number wild. The boot domain ends
// in a status, within its bounds.

import { createHash } from "node:crypto";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import type { CompiledLaunch } from "../compiler/compile.js";
import { ImageHeader, PlanHeader } from "../contract/image.js";
import { LaunchStatus } from "../contract/receipt.js";
import { compiled } from "../lab/lab-bench.js";
import { loadBootDomain, simulateLaunch } from "./simulate.js";

let wasm: WebAssembly.Module;
let launch: CompiledLaunch;
let planWords: number;

beforeAll(async () => {
  wasm = await loadBootDomain();
  const hello = { kernel: "build/guests/hello.elf", memory: "4 MiB" };
  launch = await compiled({ domb: 1, domains: { first: hello, second: hello } });
  planWords = new DataView(launch.image.buffer).getUint32(ImageHeader.planBytes, true) / 4;
});

/** The image with words of its plan replaced, and the plan's digest made right again. */
function withPlanWords(changes: readonly (readonly [number, number])[]): Uint8Array {
  const image = launch.image.slice();
  const view = new DataView(image.buffer);
  const offset = view.getUint32(ImageHeader.planOffset, true);
  for (const [word, value] of changes) view.setUint32(offset + word * 4, value, true);
  const plan = image.subarray(offset, offset + planWords * 4);
  image.set(createHash("sha256").update(plan).digest(), ImageHeader.planDigest);
  return image;
}

const wildNumber = fc.oneof(
  fc.constantFrom(0, 1, 2, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffff000, 4096, 0x10000000),
  fc.nat({ max: 64 }),
  fc.nat({ max: 0xffffffff }),
);

describe("a plan of wild numbers", () => {
  it("ends in a status, whatever they are", async () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat({ max: planWords - 1 }), wildNumber), {
          minLength: 1,
          maxLength: 6,
        }),
        (changes) => {
          const { receipt, exit, domains } = simulateLaunch(withPlanWords(changes), {
            wasm,
            freePages: 0x40000,
          });
          expect(exit?.status).toBe(receipt.status);
          if (receipt.status !== LaunchStatus.success) expect(domains.size).toBe(0);
        },
      ),
      { numRuns: 1500 },
    );
  });

  it("with counts beyond the plan's size is malformed", async () => {
    for (let field = PlanHeader.domains; field < PlanHeader.size; field += 4) {
      for (const value of [0xffffffff, 0x7fffffff, 100000]) {
        const image = withPlanWords([[field / 4, value]]);
        const { receipt } = simulateLaunch(image, { wasm, freePages: 0x40000 });
        expect(receipt.status).toBe(LaunchStatus.planMalformed);
      }
    }
  });
});
