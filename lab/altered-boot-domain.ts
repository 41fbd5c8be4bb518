// SPDX-License-Identifier: Apache-2.0
// Boot domains for tests: the real code with a C file of a test's own around or before the shim.

import { mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import {
  gccOptions,
  linkOptions,
  objectFolder,
  STACK_BYTES,
  toolFor,
} from "../bootdomain/build.js";
import { type Architecture, paths } from "../setup/paths.js";

/**
 * Builds one from a C file, which includes the shim's machine.c; returns the kernel's path: an ELF
 * file, and for arm64 an Image, with an ELF file beside it. Needs the boot domain's own build.
 */
export async function buildAltered(
  name: string,
  source: string,
  defines: readonly string[] = [],
  architecture: Architecture = "x86_64",
): Promise<string> {
  const bootDomain = join(paths.build, "bootdomain");
  const output = objectFolder(join(paths.build, name), architecture);
  await mkdir(output, { recursive: true });
  const object = join(output, `${name}.o`);
  const includes = [
    join(paths.checkout, "bootdomain", "shim", architecture),
    join(paths.checkout, "lab", architecture),
    ...[bootDomain, "/usr/src/wasm2c", paths.xenInclude()],
  ];
  await execa(toolFor(architecture, "gcc"), [
    ...gccOptions(architecture),
    // Not each of them needs all of altered.h.
    "-Wno-unused-function",
    "-DWASM_RT_MEMCHECK_SIGNAL_HANDLER=0",
    "-DWASM_RT_USE_STACK_DEPTH_COUNT=0",
    "-D__XEN_TOOLS__",
    `-DSTACK_BYTES=${STACK_BYTES}`,
    ...defines.map((define) => `-D${define}`),
    ...includes.flatMap((folder) => ["-I", folder]),
    ...["-c", join(paths.checkout, source), "-o", object],
  ]);
  const place = async (ending: string, program: string, words: readonly string[]) => {
    const file = join(output, `${name}.${ending}`);
    await execa(toolFor(architecture, program), [...words, `${file}.new`]);
    await rename(`${file}.new`, file);
    return file;
  };
  const own = objectFolder(bootDomain, architecture);
  const objects = [join(own, "entry.o"), object, join(own, "domb.o")];
  const elf = await place("elf", "ld", [...linkOptions(architecture), ...objects, "-o"]);
  return architecture === "x86_64" ? elf : place("image", "objcopy", ["-O", "binary", elf]);
}

/** Runs something with another boot domain in the real one's place. */
export async function withBootDomain<T>(kernel: string, run: () => Promise<T>): Promise<T> {
  const own = process.env.DOMB_BOOT_DOMAIN;
  process.env.DOMB_BOOT_DOMAIN = kernel;
  try {
    return await run();
  } finally {
    if (own === undefined) delete process.env.DOMB_BOOT_DOMAIN;
    else process.env.DOMB_BOOT_DOMAIN = own;
  }
}
