// SPDX-License-Identifier: Apache-2.0
// How much the simulator tries, and how fast it is: the one figure here that depends on the machine.

import { join } from "node:path";
import fc from "fast-check";
import { compiledFile } from "../lab/lab-bench.js";
import { paths } from "../setup/paths.js";
import { type FileCoverage, measure } from "../simulator/coverage/measure.js";
import { fuzzCase } from "../simulator/fuzz.js";
import { judgeLaunch } from "../simulator/judge.js";
import { arbitraryLaunch } from "../simulator/random/arbitrary-launch.js";
import { runRandom } from "../simulator/random/run-random.js";
import { loadBootDomain, simulateLaunch } from "../simulator/simulate.js";
import { suite } from "../simulator/suite.js";
import { failures } from "../xen-model/failures.js";
import type { Figure } from "./sizes.js";

const launches = 5000;
const randomLaunches = 2000;

/** Launches a second, each made by `run`. */
function perSecond(run: (index: number) => void): number {
  const began = performance.now();
  for (let index = 0; index < launches; index++) run(index);
  return Math.round((launches * 1000) / (performance.now() - began));
}

/** What the coverage's launches reach of the boot domain's source. */
async function coverageFigures(): Promise<Figure[]> {
  const { files, launches: driven } = await measure();
  const reached = (kind: "statements" | "branches"): Figure[] => {
    const sum = (part: "covered" | "all"): number =>
      files.reduce((total: number, file: FileCoverage) => total + file[kind][part], 0);
    return [
      { what: `${kind} of the boot domain`, value: sum("all"), unit: "" },
      { what: "… reached; the rest is explained", value: sum("covered"), unit: "" },
    ];
  };
  return [
    { what: "launches of the coverage", value: driven, unit: "" },
    ...reached("statements"),
    ...reached("branches"),
  ];
}

/** Launches at random, as the tests make them, and what was put in their way. */
async function randomFigures(wasm: WebAssembly.Module): Promise<Figure[]> {
  const all = fc.sample(arbitraryLaunch(), { seed: 1, numRuns: randomLaunches });
  const sum = (part: (launch: (typeof all)[number]) => number): number =>
    all.reduce((total, launch) => total + part(launch), 0);
  let [broken, idleNs] = [0, 0];
  for (const random of all) {
    const { judged } = await runRandom(random, { wasm });
    if (judged.broken.length > 0) broken++;
    idleNs += judged.idleNs;
  }
  return [
    { what: "launches at random", value: all.length, unit: "" },
    { what: "… hypercalls that failed in them", value: sum((one) => one.faults.length), unit: "" },
    { what: "… bits of images flipped", value: sum((one) => one.flips.length), unit: "" },
    { what: "… domains that misbehaved", value: sum((one) => one.behaviours.length), unit: "" },
    { what: "… launches that broke a promise", value: broken, unit: "" },
    { what: "… time waited although a step could run", value: idleNs, unit: "ns" },
  ];
}

export async function simulatorFigures(): Promise<Figure[]> {
  const wasm = await loadBootDomain();
  const { image } = await compiledFile(join(paths.checkout, "simulator/launches/pair.yaml"));
  const cases = await suite();
  const freePages = 0x4000;
  return [
    { what: "ways to fail in the table of Xen's failures", value: failures.length, unit: "rows" },
    { what: "launches run on real Xen and on its model", value: cases.length, unit: "" },
    {
      what: "of them with faults",
      value: cases.filter(({ faults }) => faults.length > 0).length,
      unit: "",
    },
    {
      what: "of them where memory runs out",
      value: cases.filter(({ name }) => name.startsWith("memory")).length,
      unit: "",
    },
    {
      what: "whole launches of two domains simulated, on this machine",
      value: perSecond(() => simulateLaunch(image, { wasm, freePages })),
      unit: "a second",
    },
    {
      what: "fuzzed launches made and judged, on this machine",
      value: perSecond((seed) => {
        const { hostile: _, ...changed } = fuzzCase(image, String(seed));
        judgeLaunch(changed.image, { wasm, ...changed });
      }),
      unit: "a second",
    },
    ...(await randomFigures(wasm)),
    ...(await coverageFigures()),
  ];
}
