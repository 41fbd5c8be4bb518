// SPDX-License-Identifier: Apache-2.0
// Builds replay.c with the boot domain's C, in variants, and runs it. Those that are not sanitized
// are the very object files that are linked into the boot domain's kernels. Output: build/native/.

import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { built, gccOptions, generatedOptions, objectFolder } from "../../bootdomain/build.js";
import { type Architecture, paths } from "../../setup/paths.js";

export interface Variant {
  readonly name: string;
  readonly architecture: Architecture;
  readonly compiler: string;
  /** Options for the boot domain's C; undefined for the kernel's own object file. */
  readonly dombOptions: readonly string[] | undefined;
  /** Options for replay.c and for linking. */
  readonly options: readonly string[];
  /** What runs the program, if the machine can't. */
  readonly runner: readonly string[];
  /** Whether it reports undefined behaviour and what lies outside its memory. */
  readonly sanitized: boolean;
}

const sanitizerOptions = [
  "-fsanitize=address,undefined",
  "-fno-sanitize-recover=all",
  "-fno-omit-frame-pointer",
  "-O1",
  "-g",
];

const x86 = { architecture: "x86_64", compiler: "gcc", runner: [] } as const;
const arm64 = {
  architecture: "arm64",
  compiler: "aarch64-linux-gnu-gcc",
  runner: ["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu"],
} as const;

/** Every way to build and run it. */
export const variants: readonly Variant[] = [
  { ...x86, name: "x86-64", dombOptions: undefined, options: ["-no-pie"], sanitized: false },
  {
    ...x86,
    name: "x86-64-sanitized",
    dombOptions: [...gccOptions(), ...sanitizerOptions],
    options: ["-no-pie", ...sanitizerOptions],
    sanitized: true,
  },
  { ...arm64, name: "arm64", dombOptions: undefined, options: ["-no-pie"], sanitized: false },
  {
    ...arm64,
    name: "arm64-sanitized",
    dombOptions: [...gccOptions("arm64"), ...sanitizerOptions],
    options: ["-no-pie", ...sanitizerOptions],
    sanitized: true,
  },
];

/** For all C: wasm2c's runtime as the boot domain's kernel has it. */
const commonOptions = [
  "-DWASM_RT_MEMCHECK_SIGNAL_HANDLER=0",
  "-DWASM_RT_USE_STACK_DEPTH_COUNT=0",
  "-I",
  dirname(built.c),
  "-I",
  "/usr/src/wasm2c",
];

/** Builds a variant from the built boot domain; returns the program's path. */
export async function buildReplay(variant: Variant): Promise<string> {
  const { name, architecture, compiler, dombOptions, options } = variant;
  const folder = join(paths.build, "native");
  await mkdir(folder, { recursive: true });
  const program = join(folder, `replay-${name}`);
  // Another run may build the same meanwhile: each has a folder of its own.
  const own = await mkdtemp(join(folder, `${name}.`));
  try {
    let object = join(objectFolder(dirname(built.c), architecture), "domb.o");
    if (dombOptions !== undefined) {
      object = join(own, "domb.o");
      const domb = [...dombOptions, ...commonOptions, ...generatedOptions];
      await execa(compiler, [...domb, "-c", built.c, "-o", object]);
    }
    const warnings = ["-Wall", "-Wextra", "-Wno-unused-parameter", "-Werror"];
    const source = join(paths.checkout, "simulator", "native", "replay.c");
    const replay = ["-std=gnu11", "-O1", "-g", ...options, ...commonOptions, ...warnings];
    await execa(compiler, [...replay, source, object, "-o", join(own, "replay")]);
    await rename(join(own, "replay"), program);
    return program;
  } finally {
    await rm(own, { recursive: true });
  }
}

export interface Replayed {
  readonly same: boolean;
  /** What the program printed, errors too. */
  readonly output: string;
}

/** Replays recordings with a built variant. Throws when the program can't be run. */
export async function replay(
  { runner }: Variant,
  program: string,
  recordings: readonly Uint8Array[],
  options: readonly string[] = [],
): Promise<Replayed> {
  const [command = program, ...before] = [...runner, program];
  const result = await execa(command, [...before, ...options], {
    all: true,
    // Leaks can only be of the program around the boot domain, which allocates nothing.
    env: { ASAN_OPTIONS: "detect_leaks=0" },
    input: Buffer.concat(recordings),
    reject: false,
  });
  if (result.exitCode === undefined && result.signal === undefined) throw result;
  return { same: result.exitCode === 0, output: result.all };
}
