// SPDX-License-Identifier: Apache-2.0
// What each example's launch takes at most, as the compiler and the machine code say, and what it
// took in the simulator; the stack as it was used on real Xen.

import { join } from "node:path";
import { stackOf } from "../bootdomain/stack.js";
import { runBatch } from "../lab/batch/batch.js";
import { compiledExample } from "../lab/lab-bench.js";
import { paths } from "../setup/paths.js";
import { measureWork } from "../simulator/measure-work.js";
import { loadBootDomain } from "../simulator/simulate.js";
import { plainCase } from "../simulator/suite/suite-case.js";
import type { Figure } from "./sizes.js";

const examples = ["hello", "two-linux", "linux-and-hello"];

async function stackFigures(): Promise<Figure[]> {
  const built = (name: string): string => join(paths.build, "bootdomain", name);
  const usage = [built("domb.su"), built("machine.su")];
  const { image } = await compiledExample("hello");
  const hello = plainCase("hello", image);
  const { stack } = await runBatch([hello], { roomPages: 0, hostMemoryBytes: 512 * 0x100000 });
  return [
    {
      what: "stack of the boot domain, at most",
      value: await stackOf("start", built("domb.elf"), usage),
      unit: "bytes",
    },
    { what: "stack of the tests' batch on real Xen, at most", value: stack.bound, unit: "bytes" },
    { what: "… as used", value: stack.used, unit: "bytes" },
  ];
}

/** Bounds and measured figures, one above the other. */
export async function boundFigures(): Promise<Figure[]> {
  const wasm = await loadBootDomain();
  const works = await Promise.all(
    examples.map(async (name) => {
      const { image, plan } = await compiledExample(name);
      return measureWork(image, plan, wasm).flatMap(({ what, bound, measured, unit }) => [
        { what: `${name}: ${what}, at most`, value: bound, unit },
        { what: "… in the simulator", value: measured, unit },
      ]);
    }),
  );
  return [...works.flat(), ...(await stackFigures())];
}
