// SPDX-License-Identifier: Apache-2.0
// Images of any bytes, on hosts of any behaviour: the boot domain keeps its promises. A failing case
// prints the command that repeats it.

import { beforeAll, describe, expect, it } from "vitest";
import { gapsOf, readTables } from "../bootdomain/layout.js";
import { encodeTrust } from "../compiler/signature/trust.js";
import { HEADERS_END, ImageHeader } from "../contract/image.js";
import { type Architecture, architectures } from "../xen-model/machines.js";
import { fuzzCase } from "./fuzz.js";
import { hostileHost } from "./hostile-host.js";
import { judgeLaunch, type MemoryGap, memoryGaps } from "./judge.js";
import { SeededNumbers } from "./seeded.js";
import { loadBootDomain } from "./simulate.js";
import { withPlanWords } from "./suite/base-launch.js";
import { type FileLaunch, launchOfFile, repetitionOf } from "./suite/launch-files.js";
import { signedImage, testKey } from "./suite/test-keys.js";

/** Fuzzed images; `npm run test:long` asks for 1,000,000. */
const cases = Number(process.env.DOMB_FUZZ_CASES ?? 20_000);
/** Of signed images, whose verification takes milliseconds. */
const signedCases = Number(process.env.DOMB_FUZZ_CASES ?? 5_000);

const files = [
  "simulator/launches/pair.yaml",
  "simulator/launches/ramdisk.yaml",
  "simulator/launches/labelled.yaml",
] as const;
/** Every other case is for the other architecture. */
const launches = files.flatMap((file) =>
  architectures.map((architecture) => ({ file, architecture })),
);
const freePages = 0x4000;

let wasm: WebAssembly.Module;
let gaps: readonly MemoryGap[];
const compiled: FileLaunch[] = [];

function launchOf(file: string, architecture: Architecture): FileLaunch {
  const found = compiled.find((one) => one.file === file && one.architecture === architecture);
  return found ?? expect.fail(`${file} is not compiled`);
}

beforeAll(async () => {
  wasm = await loadBootDomain();
  gaps = memoryGaps(wasm, gapsOf(await readTables()));
  for (const { file, architecture } of launches) {
    compiled.push(await launchOfFile(file, architecture));
  }
});

function expectPromisesKept(
  image: Uint8Array,
  { machine, policy }: FileLaunch,
  name: string,
): void {
  const { broken } = judgeLaunch(image, { wasm, machine, freePages, policy, gaps });
  if (broken.length > 0) expect.fail(`${name}: ${broken.join("; ")}`);
}

function endOfPlan(image: Uint8Array): number {
  const header = new DataView(image.buffer);
  const planBytes = header.getUint32(ImageHeader.planBytes, true);
  return header.getUint32(ImageHeader.planOffset, true) + planBytes;
}

describe.each(launches)("the image of $file on $architecture", ({ file, architecture }) => {
  const share = architectures.indexOf(architecture);

  it("keeps its promises with any one byte of header and plan flipped", () => {
    const launch = launchOf(file, architecture);
    const { image } = launch;
    const end = endOfPlan(image);
    for (let byte = 0; byte < end; byte++) {
      // Nobody is trusted, and nothing reads the signature; a few of its bytes show that.
      if (byte >= ImageHeader.size && byte < HEADERS_END && byte % 97 > 0) continue;
      for (const [index, bits] of [0x01, 0x80, 0xff].entries()) {
        if ((byte + index) % architectures.length !== share) continue;
        const flipped = image.slice();
        flipped[byte] = (flipped[byte] ?? 0) ^ bits;
        expectPromisesKept(flipped, launch, `byte ${byte} with bits ${bits}`);
        if (byte < HEADERS_END) continue;
        const digested = withPlanWords(flipped, []);
        expectPromisesKept(digested, launch, `byte ${byte} with bits ${bits}, digested`);
      }
    }
  });

  it("keeps its promises when it is cut at any length", () => {
    const launch = launchOf(file, architecture);
    const { image } = launch;
    for (let bytes = share; bytes < image.length; bytes += architectures.length) {
      expectPromisesKept(image.subarray(0, bytes), launch, `cut to ${bytes} bytes`);
    }
  });
});

describe("a hostile host", () => {
  it.each(launches)(
    "that answers anything, and whose clock jumps, gets an end of $file on $architecture",
    ({ file, architecture }) => {
      const { image, machine, policy } = launchOf(file, architecture);
      for (let seed = 0; seed < 1500; seed++) {
        const between = hostileHost(new SeededNumbers(`host ${seed}`));
        const { broken } = judgeLaunch(image, { wasm, machine, freePages, policy, between, gaps });
        if (broken.length > 0) expect.fail(`seed ${seed}: ${broken.join("; ")}`);
      }
    },
  );
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
      const launch = compiled[seed % compiled.length] ?? expect.fail("no launch is compiled");
      const { machine, policy } = launch;
      const { hostile, ...changed } = fuzzCase(launch.image, String(seed));
      const between = hostile === undefined ? undefined : hostileHost(hostile);
      const setting = { wasm, machine, policy, ...changed, between, gaps };
      const { broken } = judgeLaunch(changed.image, setting);
      if (broken.length === 0) continue;
      const command = repetitionOf(launch, `--seed ${seed}`);
      expect.fail(`${broken.join("; ")}\nRepeat it with: ${command}`);
    }
  });
});

describe("fuzzed images that were signed, for who trusts their key", () => {
  const owner = testKey(1);
  const trust = encodeTrust({ keys: [owner.key], leastLaunchVersion: 1 });
  const signed: FileLaunch[] = [];
  /** Of all fuzzed images, those that were refused. */
  let refused = 0;

  beforeAll(async () => {
    const chosen = [
      ["simulator/launches/pair.yaml", "x86_64"],
      ["simulator/launches/pair.yaml", "arm64"],
      ["simulator/launches/recovery.yaml", "x86_64"],
    ] as const;
    for (const [file, architecture] of chosen) {
      const launch = await launchOfFile(file, architecture);
      signed.push({ ...launch, image: await signedImage(launch.image, owner) });
    }
  });

  it.each(chunksOf(signedCases))(
    "run as they were signed, or not: seeds $from to $to",
    ({ from, to }) => {
      for (let seed = from; seed <= to; seed++) {
        const launch = signed[seed % signed.length] ?? expect.fail("no launch is signed");
        const { image, machine } = launch;
        const { hostile, ...changed } = fuzzCase(image, `signed ${seed}`);
        const between = hostile === undefined ? undefined : hostileHost(hostile);
        const setting = { wasm, machine, trust, ...changed, between, gaps };
        const judged = judgeLaunch(changed.image, setting);
        if (judged.plan === undefined) refused++;
        if (judged.broken.length === 0) continue;
        const what = `${launch.file} on ${launch.architecture}, signed ${seed}`;
        expect.fail(`${what}: ${judged.broken.join("; ")}\n${changed.changes}`);
      }
    },
  );

  it("are mostly refused", () => {
    console.log(`signed images: ${signedCases} fuzzed, ${refused} refused`);
    expect(refused).toBeGreaterThan(signedCases / 2);
  });
});
