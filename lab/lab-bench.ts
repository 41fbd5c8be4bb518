// SPDX-License-Identifier: Apache-2.0
// What tests and benchmarks need to boot small launches on real Xen: descriptions compiled in
// memory, booted in virtual time, their outputs in a private folder that is removed again.

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { type CompiledLaunch, compileLaunch, fileSystem } from "../compiler/compile.js";
import type { DomainInput, LaunchInput } from "../compiler/description/define-launch.js";
import type { LaunchDescription } from "../compiler/description/description.js";
import { describeLaunch, loadDescription } from "../compiler/description/load-description.js";
import type { Result } from "../compiler/diagnostics/diagnostic.js";
import type { PlanTarget } from "../compiler/image/encode-image.js";
import { type Architecture, paths } from "../setup/paths.js";
import { architectureNames, architectures } from "../xen-model/machines.js";
import { type BootOutcome, type BootRequest, bootLaunch } from "./boot.js";

/** What titles of tests call an architecture, and the architecture: a test of either has its name. */
export const everyArchitecture = architectures.map(
  (architecture) => [architectureNames[architecture], architecture] as const,
);

const consoles: Readonly<Record<Architecture, string>> = {
  x86_64: "earlyprintk=xen,keep",
  arm64: "console=ttyAMA0",
};

/** Debian's Linux and a busybox, which says the examples' marker, with its words in Xen's log. */
export function linux(architecture: Architecture, cmdline: string): DomainInput {
  const [kernel, ramdisk] =
    architecture === "x86_64"
      ? [paths.guestKernel, paths.guestRamdisk]
      : [paths.arm64GuestKernel, paths.arm64GuestRamdisk];
  const words = `${consoles[architecture]} quiet loglevel=5 ${cmdline}`;
  return { kernel, ramdisk, cmdline: words, memory: "128 MiB", output: "xen-log" };
}

function unwrap<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new Error(result.diagnostics.map(({ code, message }) => `${code} ${message}`).join("\n"));
}

/** Checks a description; paths in it are relative to the checkout. */
export function described(launch: LaunchInput): LaunchDescription {
  return unwrap(describeLaunch(launch, paths.checkout));
}

/** Compiles a description; paths in it are relative to the checkout. */
export async function compiled(launch: LaunchInput, target?: PlanTarget): Promise<CompiledLaunch> {
  return unwrap(await compileLaunch(described(launch), fileSystem, target));
}

/** Compiles the description in a file. */
export async function compiledFile(path: string): Promise<CompiledLaunch> {
  return unwrap(await compileLaunch(unwrap(await loadDescription(path))));
}

/** The description of an example; it has one for each architecture on which it makes sense. */
export function exampleFile(name: string, architecture: Architecture = "x86_64"): string {
  const file = architecture === "x86_64" ? "launch.yaml" : `launch-${architecture}.yaml`;
  return join(paths.checkout, "examples", name, file);
}

/** Compiles one of the examples. */
export function compiledExample(
  name: string,
  architecture?: Architecture,
): Promise<CompiledLaunch> {
  return compiledFile(exampleFile(name, architecture));
}

/** Compiles one of the examples with other words in one place. */
export async function changedExample(
  name: string,
  architecture: Architecture,
  [from, to]: readonly [string, string],
): Promise<CompiledLaunch> {
  const file = exampleFile(name, architecture);
  const text = await readFile(file, "utf8");
  if (text.split(from).length !== 2) throw new Error(`${file} has not one ${JSON.stringify(from)}`);
  const launch: LaunchInput = parse(text.replace(from, to));
  return unwrap(await compileLaunch(unwrap(describeLaunch(launch, dirname(file)))));
}

/** What a boot left: the outcome, and the texts of its files. */
export interface Booted {
  readonly outcome: BootOutcome;
  /** Output of each domain, by name. */
  readonly outputs: Readonly<Record<string, string>>;
  readonly xenLog: string;
}

/** For figures, and where little may happen in between: an instruction is a nanosecond. */
export const exactTime = { instructionShift: 0 } as const;

/**
 * Boots an image in virtual time, of which an instruction takes eight nanoseconds: on x86-64 Xen
 * polls the clock until the next second, which is the most of a short boot. Throws when the machine
 * lacks something.
 */
export async function booted(
  image: Uint8Array,
  xenCommandLine: string,
  more: Partial<BootRequest> = {},
): Promise<Booted> {
  const outputDirectory = await mkdtemp(join(tmpdir(), "domb-lab-"));
  try {
    const result = await bootLaunch({
      image,
      icount: true,
      instructionShift: 3,
      hostMemoryBytes: 1024 * 0x100000,
      timeLimitSeconds: 500,
      until: [],
      outputDirectory,
      xenOptions: xenCommandLine.split(" "),
      ...more,
    });
    if (!result.ok) throw new Error(`${result.lacking} is lacking: ${result.fix}`);
    const { outcome } = result;
    const texts = outcome.domains.map(async ({ name, output }) => [
      name,
      await readFile(output, "utf8"),
    ]);
    return {
      outcome,
      outputs: Object.fromEntries(await Promise.all(texts)),
      xenLog: await readFile(outcome.xenLog, "utf8"),
    };
  } finally {
    await rm(outputDirectory, { recursive: true });
  }
}
