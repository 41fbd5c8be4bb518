// SPDX-License-Identifier: Apache-2.0
// Boot domains for tests: the real code with a C file of a test's own around or before the shim.

import { mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { gccOptions, linkOptions, STACK_BYTES } from "../bootdomain/build.js";
import { paths } from "../setup/paths.js";

/**
 * Builds one from a C file, which includes the shim; returns its path. Needs the boot domain's own
 * build.
 */
export async function buildAltered(
  name: string,
  source: string,
  defines: readonly string[] = [],
): Promise<string> {
  const output = join(paths.build, name);
  const bootDomain = join(paths.build, "bootdomain");
  await mkdir(output, { recursive: true });
  const object = join(output, `${name}.o`);
  const includes = [bootDomain, "/usr/src/wasm2c", paths.xenInclude()];
  await execa("gcc", [
    ...gccOptions(),
    "-DWASM_RT_MEMCHECK_SIGNAL_HANDLER=0",
    "-DWASM_RT_USE_STACK_DEPTH_COUNT=0",
    "-D__XEN_TOOLS__",
    `-DSTACK_BYTES=${STACK_BYTES}`,
    ...defines.map((define) => `-D${define}`),
    ...includes.flatMap((folder) => ["-I", folder]),
    ...["-c", join(paths.checkout, source), "-o", object],
  ]);
  const elf = join(output, `${name}.elf`);
  const objects = [join(bootDomain, "entry.o"), object, join(bootDomain, "domb.o")];
  await execa("ld", [...linkOptions(), ...objects, "-o", `${elf}.new`]);
  await rename(`${elf}.new`, elf);
  return elf;
}

/** Runs something with another boot domain in the real one's place. */
export async function withBootDomain<T>(elf: string, run: () => Promise<T>): Promise<T> {
  const own = process.env.DOMB_BOOT_DOMAIN;
  process.env.DOMB_BOOT_DOMAIN = elf;
  try {
    return await run();
  } finally {
    if (own === undefined) delete process.env.DOMB_BOOT_DOMAIN;
    else process.env.DOMB_BOOT_DOMAIN = own;
  }
}
