// SPDX-License-Identifier: Apache-2.0
// Launches in files of the checkout, for either architecture, and the command that repeats one.

import { mkdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { CompiledLaunch } from "../../compiler/compile.js";
import { compiledFile } from "../../lab/lab-bench.js";
import { paths } from "../../setup/paths.js";
import { type Architecture, machines } from "../../xen-model/machines.js";
import { onArm64 } from "./arm64-launch.js";

export interface FileLaunch {
  /** Its path in the checkout. */
  readonly file: string;
  readonly architecture: Architecture;
  readonly machine: number;
  readonly image: Uint8Array;
  readonly policy: Uint8Array | undefined;
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
  const { plan, materials, image, policy } = await compiledOnce(file);
  const bytes = materials.map((material) => material.bytes);
  const isArm64 = architecture === "arm64";
  return {
    ...{ file, architecture, machine: machines[architecture], policy },
    image: isArm64 ? onArm64({ plan, materials: bytes }).image : image,
  };
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
