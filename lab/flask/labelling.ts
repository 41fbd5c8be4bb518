// SPDX-License-Identifier: Apache-2.0
// Builds the boot domain that labels domains, for tests: what a launch needs of FLASK, without a
// launch description that says it.

import { mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { gccOptions, linkOptions, STACK_BYTES } from "../../bootdomain/build.js";
import { paths } from "../../setup/paths.js";

/** Path of a boot domain that gives domain n the nth label. Needs the boot domain's own build. */
export async function buildLabelling(name: string, labels: readonly string[]): Promise<string> {
  const output = join(paths.build, "labelling");
  const bootDomain = join(paths.build, "bootdomain");
  await mkdir(output, { recursive: true });
  const object = join(output, `${name}.o`);
  const includes = [bootDomain, "/usr/src/wasm2c", paths.xenInclude()];
  await execa("gcc", [
    ...gccOptions,
    "-DWASM_RT_MEMCHECK_SIGNAL_HANDLER=0",
    "-DWASM_RT_USE_STACK_DEPTH_COUNT=0",
    "-D__XEN_TOOLS__",
    `-DSTACK_BYTES=${STACK_BYTES}`,
    `-DLABELS=${labels.map((label) => JSON.stringify(label)).join()}`,
    ...includes.flatMap((folder) => ["-I", folder]),
    ...["-c", join(paths.checkout, "lab", "flask", "labelling.c"), "-o", object],
  ]);
  const elf = join(output, `${name}.elf`);
  const objects = [join(bootDomain, "entry.o"), object, join(bootDomain, "domb.o")];
  await execa("ld", [...linkOptions, ...objects, "-o", `${elf}.new`]);
  await rename(`${elf}.new`, elf);
  return elf;
}
