// SPDX-License-Identifier: Apache-2.0
// Compiles and judges a random launch; and writes it down so that anyone can run it again: a
// description, and a command that says what goes otherwise.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { stringify } from "yaml";
import { type CompiledLaunch, compileLaunch } from "../../compiler/compile.js";
import type { LaunchInput } from "../../compiler/description/define-launch.js";
import { described } from "../../lab/lab-bench.js";
import { paths } from "../../setup/paths.js";
import { machines } from "../../xen-model/machines.js";
import { behavioursIn, formatBehaviour } from "../behaviours.js";
import { formatFault } from "../faults.js";
import { type JudgedLaunch, type JudgeOptions, judgeLaunch } from "../judge.js";
import type { RandomLaunch } from "./arbitrary-launch.js";

/** A host with room for anything. */
const ANY_PAGES = 0x10000000;
const PAGE_KIBIBYTES = 4;

/** Kernels are read once. */
const files = new Map<string, Promise<Uint8Array>>();
const edge = {
  readFile: (path: string): Promise<Uint8Array> => {
    const file = files.get(path) ?? readFile(path).then((bytes) => new Uint8Array(bytes));
    files.set(path, file);
    return file;
  },
};

export interface RunLaunch {
  readonly judged: JudgedLaunch;
  /** As it was launched, bits flipped. */
  readonly image: Uint8Array;
  readonly freePages: number;
}

/** Throws when the compiler refuses the description. */
export async function runRandom(
  random: RandomLaunch,
  options: Pick<JudgeOptions, "wasm" | "between" | "isXen">,
): Promise<RunLaunch> {
  const { architecture, behaviours, faults, launch } = random;
  const compiled = await compiledRandom(launch);
  const image = compiled.image.slice();
  for (const { byte, bit } of flipsOf(random, image)) image[byte] = (image[byte] ?? 0) ^ (1 << bit);
  const freePages = freePagesOf(random, compiled);
  const plans = [
    compiled.plan,
    ...(compiled.recovery === undefined ? [] : [compiled.recovery.plan]),
  ];
  const judged = judgeLaunch(image, {
    ...{ ...options, machine: machines[architecture], freePages, faults },
    behaviourOf: behavioursIn(plans, behaviours),
  });
  return { judged, image, freePages };
}

async function compiledRandom(launch: LaunchInput): Promise<CompiledLaunch> {
  const compiled = await compileLaunch(described(launch), edge);
  if (compiled.ok) return compiled.value;
  throw new Error(compiled.diagnostics.map(({ code, message }) => `${code} ${message}`).join("\n"));
}

function flipsOf({ flips }: RandomLaunch, image: Uint8Array) {
  return flips.map(({ at, bit }) => ({ byte: Math.floor(at * image.length), bit }));
}

function freePagesOf({ freePercent }: RandomLaunch, { demand, plan }: CompiledLaunch): number {
  if (freePercent === undefined) return ANY_PAGES;
  const taken = demand.domains.reduce((sum, { pages }) => sum + pages, plan.reservedPages);
  return Math.floor((taken * freePercent) / 100);
}

/** Writes the launch's description to a folder; the command that runs it as it was run. */
export async function writeRepetition(
  random: RandomLaunch,
  { image, freePages }: Pick<RunLaunch, "image" | "freePages">,
  folder: string,
): Promise<string> {
  const { behaviours, faults, freePercent, launch } = random;
  const file = join(folder, "launch.yaml");
  const words = [
    ...behaviours.map((behaviour) => `--behave ${formatBehaviour(behaviour)}`),
    ...faults.map((fault) => `--fault ${formatFault(fault)}`),
    ...flipsOf(random, image).map(({ byte, bit }) => `--flip ${byte}:${bit}`),
    ...(freePercent === undefined ? [] : [`--free-memory "${freePages * PAGE_KIBIBYTES} KiB"`]),
  ];
  const path = relative(paths.checkout, file);
  const command = ["npx domb simulate", path, ...words, "--trace"].join(" ");
  const text = stringify(fromFolder(launch, folder));
  await mkdir(folder, { recursive: true });
  await writeFile(
    file,
    `# A launch that a random test has found. Run it with:\n# ${command}\n${text}`,
  );
  return command;
}

/** The description with its kernels relative to a folder. */
function fromFolder(launch: LaunchInput, folder: string): LaunchInput {
  const domains = Object.entries(launch.domains).map(([name, domain]) => [
    name,
    { ...domain, kernel: relative(folder, join(paths.checkout, domain.kernel)) },
  ]);
  return { ...launch, domains: Object.fromEntries(domains) };
}
