// SPDX-License-Identifier: Apache-2.0
// What verification costs: code in the boot domain, instructions for a signature, and the verified
// launch of examples/two-linux beside the unverified one; and what was tried against it.

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { compileTo } from "../bootdomain/build.js";
import type { CompiledLaunch } from "../compiler/compile.js";
import { runBatch } from "../lab/batch/batch.js";
import { corruptedLaunches, signedLaunch } from "../lab/batch/corruption.js";
import { bootDomainClock } from "../lab/boot-domain-clock.js";
import { type Booted, booted, compiledExample, exactTime } from "../lab/lab-bench.js";
import { paths } from "../setup/paths.js";
import { signedImage, testKey } from "../simulator/suite/test-keys.js";
import { type Figure, textBytes } from "./sizes.js";

const owner = testKey(1);
const trust = { keys: [owner.key], leastLaunchVersion: 1 };

/** signature.ts of a boot domain that takes every plan as it is. */
const acceptsAll = `import { LaunchStatus } from "../../contract/receipt";
export function acceptSignature(offset: u32): LaunchStatus {
  return LaunchStatus.success;
}
`;

/** Bytes of code of the boot domain, built without verification. */
async function textWithoutVerification(): Promise<number> {
  await mkdir(paths.build, { recursive: true });
  const directory = await mkdtemp(join(paths.build, "unverifying."));
  try {
    await compileTo(directory, "4.17", (sources) =>
      writeFile(join(sources, "bootdomain", "assembly", "signature.ts"), acceptsAll),
    );
    return await textBytes(join(directory, "domb.elf"));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** An example, unverified and verified. */
async function bothWays({ image, xenCommandLine }: CompiledLaunch): Promise<{
  readonly unverified: Booted;
  readonly verified: Booted;
}> {
  const signed = await signedImage(image, owner);
  return {
    unverified: await booted(image, xenCommandLine, exactTime),
    verified: await booted(signed, xenCommandLine, { ...exactTime, trust }),
  };
}

/** Nanoseconds of the boot domain, which are its instructions. */
function shareOf({ outcome }: Booted): number {
  const { began, ended } = bootDomainClock(outcome.receiptLines);
  return ended - began;
}

function lastMarkerOf({ outcome }: Booted): number {
  return Math.max(...outcome.domains.map(({ markerAtNs }) => markerAtNs ?? Number.NaN));
}

const milliseconds = (what: string, nanoseconds: number): Figure => {
  return { what, value: Math.round(nanoseconds / 1000) / 1000, unit: "ms" };
};

export async function verificationFigures(): Promise<Figure[]> {
  const text = await textBytes(join(paths.build, "bootdomain", "domb.elf"));
  const hello = await bothWays(await compiledExample("hello"));
  const linux = await bothWays(await compiledExample("two-linux"));
  const cases = await corruptedLaunches(await signedLaunch());
  const { results } = await runBatch(cases, { roomPages: 0, hostMemoryBytes: 512 * 0x100000 });
  const refused = results.filter(({ receipt, running }, index) => {
    return cases[index]?.statuses.includes(receipt.status) && running.length === 0;
  });
  return [
    {
      what: "code that verification adds to the boot domain",
      value: text - (await textWithoutVerification()),
      unit: "bytes",
    },
    {
      what: "instructions for a signature",
      value: shareOf(hello.verified) - shareOf(hello.unverified),
      unit: "",
    },
    milliseconds("two-linux unverified: the boot domain's share", shareOf(linux.unverified)),
    milliseconds("two-linux verified: the boot domain's share", shareOf(linux.verified)),
    milliseconds("two-linux unverified: both domains are up", lastMarkerOf(linux.unverified)),
    milliseconds("two-linux verified: both domains are up", lastMarkerOf(linux.verified)),
    { what: "corruptions tried on real Xen", value: cases.length, unit: "" },
    { what: "… refused, as they are to be", value: refused.length, unit: "" },
  ];
}
