// SPDX-License-Identifier: Apache-2.0
// Images of any bytes, on hosts of any behaviour: the boot domain keeps its promises. A failing case
// prints the command that repeats it.

import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { gapsOf, readTables } from "../bootdomain/layout.js";
import type { CompiledLaunch } from "../compiler/compile.js";
import { encodeTrust } from "../compiler/signature/trust.js";
import { HEADERS_END, ImageHeader } from "../contract/image.js";
import { compiledFile } from "../lab/lab-bench.js";
import { paths } from "../setup/paths.js";
import { fuzzCase } from "./fuzz.js";
import { hostileHost } from "./hostile-host.js";
import { judgeLaunch, type MemoryGap, memoryGaps } from "./judge.js";
import { SeededNumbers } from "./seeded.js";
import { loadBootDomain } from "./simulate.js";
import { withPlanWords } from "./suite/base-launch.js";
import { signedImage, testKey } from "./suite/test-keys.js";

/** Fuzzed images; `npm run test:long` asks for 1,000,000. */
const cases = Number(process.env.DOMB_FUZZ_CASES ?? 20_000);
/** Of signed images, whose verification takes milliseconds. */
const signedCases = Number(process.env.DOMB_FUZZ_CASES ?? 5_000);

const launches = [
  "simulator/launches/pair.yaml",
  "simulator/launches/ramdisk.yaml",
  "simulator/launches/labelled.yaml",
] as const;
const freePages = 0x4000;

let wasm: WebAssembly.Module;
let gaps: readonly MemoryGap[];
const compiled = new Map<string, CompiledLaunch>();

function launchOf(launch: string): CompiledLaunch {
  return compiled.get(launch) ?? expect.fail(`${launch} is not compiled`);
}

beforeAll(async () => {
  wasm = await loadBootDomain();
  gaps = memoryGaps(wasm, gapsOf(await readTables()));
  for (const launch of launches) {
    compiled.set(launch, await compiledFile(join(paths.checkout, launch)));
  }
});

type Policy = Uint8Array | undefined;

function expectPromisesKept(image: Uint8Array, policy: Policy, name: string): void {
  const { broken } = judgeLaunch(image, { wasm, freePages, policy, gaps });
  if (broken.length > 0) expect.fail(`${name}: ${broken.join("; ")}`);
}

function endOfPlan(image: Uint8Array): number {
  const header = new DataView(image.buffer);
  const planBytes = header.getUint32(ImageHeader.planBytes, true);
  return header.getUint32(ImageHeader.planOffset, true) + planBytes;
}

describe.each(launches)("the image of %s", (launch) => {
  it("keeps its promises with any one byte of header and plan flipped", () => {
    const { image, policy } = launchOf(launch);
    const end = endOfPlan(image);
    for (let byte = 0; byte < end; byte++) {
      // Nobody is trusted, and nothing reads the signature; a few of its bytes show that.
      if (byte >= ImageHeader.size && byte < HEADERS_END && byte % 97 > 0) continue;
      for (const bits of [0x01, 0x80, 0xff]) {
        const flipped = image.slice();
        flipped[byte] = (flipped[byte] ?? 0) ^ bits;
        expectPromisesKept(flipped, policy, `byte ${byte} with bits ${bits}`);
        if (byte < HEADERS_END) continue;
        const digested = withPlanWords(flipped, []);
        expectPromisesKept(digested, policy, `byte ${byte} with bits ${bits}, digested`);
      }
    }
  });

  it("keeps its promises when it is cut at any length", () => {
    const { image, policy } = launchOf(launch);
    for (let bytes = 0; bytes < image.length; bytes++) {
      expectPromisesKept(image.subarray(0, bytes), policy, `cut to ${bytes} bytes`);
    }
  });
});

describe("a hostile host", () => {
  it.each(launches)("that answers anything, and whose clock jumps, gets an end of %s", (launch) => {
    const { image, policy } = launchOf(launch);
    for (let seed = 0; seed < 3000; seed++) {
      const between = hostileHost(new SeededNumbers(`host ${seed}`));
      const { broken } = judgeLaunch(image, { wasm, freePages, policy, between, gaps });
      if (broken.length > 0) expect.fail(`seed ${seed}: ${broken.join("; ")}`);
    }
  });
});

/** Ranges of seeds: each test takes one, so that a long run shows how far it is. */
function chunksOf(all: number): readonly { readonly from: number; readonly to: number }[] {
  const each = Math.max(2_500, Math.ceil(all / 100));
  return Array.from({ length: Math.ceil(all / each) }, (_, index) => ({
    from: index * each + 1,
    to: Math.min(all, (index + 1) * each),
  }));
}

describe("fuzzed images and hosts", () => {
  it.each(chunksOf(cases))("[RFC-EXIT] keep the promises: seeds $from to $to", ({ from, to }) => {
    for (let seed = from; seed <= to; seed++) {
      const launch = launches[seed % launches.length] ?? launches[0];
      const { image, policy } = launchOf(launch);
      const { hostile, ...changed } = fuzzCase(image, String(seed));
      const between = hostile === undefined ? undefined : hostileHost(hostile);
      const { broken } = judgeLaunch(changed.image, { wasm, policy, ...changed, between, gaps });
      if (broken.length === 0) continue;
      expect.fail(
        `${broken.join("; ")}\nRepeat it with: npx domb simulate ${launch} --seed ${seed} --trace`,
      );
    }
  });
});

describe("fuzzed images that were signed, for who trusts their key", () => {
  const owner = testKey(1);
  const trust = encodeTrust({ keys: [owner.key], leastLaunchVersion: 1 });
  const signed = new Map<string, Uint8Array>();
  /** Of all fuzzed images, those that were refused. */
  let refused = 0;

  beforeAll(async () => {
    for (const launch of ["simulator/launches/pair.yaml", "simulator/launches/recovery.yaml"]) {
      const { image } = await compiledFile(join(paths.checkout, launch));
      signed.set(launch, await signedImage(image, owner));
    }
  });

  it.each(chunksOf(signedCases))(
    "run as they were signed, or not: seeds $from to $to",
    ({ from, to }) => {
      const images = [...signed];
      for (let seed = from; seed <= to; seed++) {
        const [launch, image] = images[seed % images.length] ?? expect.fail("no launch is signed");
        const { hostile, ...changed } = fuzzCase(image, `signed ${seed}`);
        const between = hostile === undefined ? undefined : hostileHost(hostile);
        const judged = judgeLaunch(changed.image, { wasm, trust, ...changed, between, gaps });
        if (judged.plan === undefined) refused++;
        if (judged.broken.length === 0) continue;
        expect.fail(`${launch}, signed ${seed}: ${judged.broken.join("; ")}\n${changed.changes}`);
      }
    },
  );

  it("are mostly refused", () => {
    console.log(`signed images: ${signedCases} fuzzed, ${refused} refused`);
    expect(refused).toBeGreaterThan(signedCases / 2);
  });
});
