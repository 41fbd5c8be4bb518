// SPDX-License-Identifier: Apache-2.0
// Launches in files of the checkout, for either architecture, and the command that repeats one.

import { mkdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { CompiledLaunch } from "../../compiler/compile.js";
import type { PlannedLaunch } from "../../compiler/plan/make-plan.js";
import type { Plan } from "../../compiler/plan/plan.js";
import { compiledFile } from "../../lab/lab-bench.js";
import { paths } from "../../setup/paths.js";
import type { Behaviour } from "../../xen-model/domain-life.js";
import { type Architecture, machines } from "../../xen-model/machines.js";
import { asPlanned } from "../behaviours.js";
import { type LaunchParts, onArm64 } from "./arm64-launch.js";

export interface FileLaunch {
  /** Its path in the checkout. */
  readonly file: string;
  readonly architecture: Architecture;
  readonly machine: number;
  readonly image: Uint8Array;
  readonly policy: Uint8Array | undefined;
  /** The main plan, and the recovery plan if there is one; of x86-64. */
  readonly plans: readonly Plan[];
  /** Its domains do what is awaited of them. */
  readonly behaviourOf: (domid: number) => Behaviour | undefined;
}

/** Kernels take seconds to unpack: each file is compiled once. */
const compiled = new Map<string, Promise<CompiledLaunch>>();

function compiledOnce(file: string): Promise<CompiledLaunch> {
  const launch = compiled.get(file) ?? compiledFile(join(paths.checkout, file));
  compiled.set(file, launch);
  return launch;
}

/** The launch of a file, as the compiler makes it, or made one of arm64. */
export async function launchOfFile(file: string, architecture: Architecture): Promise<FileLaunch> {
  const { image, policy, recovery, ...main } = await compiledOnce(file);
  const isArm64 = architecture === "arm64";
  const plans = [main.plan, ...(recovery === undefined ? [] : [recovery.plan])];
  return {
    ...{ file, architecture, machine: machines[architecture], policy, plans },
    behaviourOf: asPlanned(...plans),
    image: isArm64
      ? onArm64({ ...partsOf(main), recovery: recovery && partsOf(recovery) }).image
      : image,
  };
}

function partsOf({ plan, materials }: PlannedLaunch): LaunchParts {
  return { plan, materials: materials.map(({ bytes }) => bytes) };
}

/** The command that runs a launch with these options; an image that no file has is kept for it. */
export function repetitionOf(launch: FileLaunch, options: string): string {
  const { file, architecture, image, policy } = launch;
  if (architecture === "x86_64") return `npx domb simulate ${file} ${options} --trace`;
  const folder = join(paths.build, "simulator");
  const path = join(folder, `${file.replaceAll("/", "-")}-${architecture}.img`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, image);
  const under = policy === undefined ? "" : ` --policy ${paths.xenPolicy()}`;
  return `npx domb simulate ${relative(paths.checkout, path)}${under} ${options} --trace`;
}
