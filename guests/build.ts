// SPDX-License-Identifier: Apache-2.0
// Builds the tiny kernels that examples and tests start, PVH ones but for dom0, into build/guests/NAME.elf. They take
// a fraction of a second each, so they are built anew each time.

import { mkdir, readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { execa } from "execa";
import { buildEnvironment } from "../setup/build-environment.js";
import { paths } from "../setup/paths.js";

const source = join(paths.checkout, "guests");
const output = join(paths.checkout, "build", "guests");

/** Path of a built guest. */
export function guestKernel(
  name: "dom0" | "hello" | "ports" | "privileges" | "probe" | "receipt" | "ticker",
): string {
  return join(output, `${name}.elf`);
}

const options = [
  "-std=gnu11",
  "-O2",
  "-ffreestanding",
  "-fno-pic",
  "-fno-stack-protector",
  "-fno-asynchronous-unwind-tables",
  "-fno-ident",
  "-fcf-protection=none",
  "-mno-red-zone",
  "-mgeneral-regs-only",
  "-Wall",
  "-Wno-unused-function",
  "-Werror",
  "-nostdlib",
  "-static",
  "-Wl,--build-id=none",
  // Symbols name gcc's temporary files, which are called otherwise each time.
  "-Wl,--strip-all",
  "-Wl,-z,noexecstack",
  `-Wl,-T,${join(source, "pvh.lds")}`,
];

/** Builds each folder of guests/ that holds C or assembly; C alone is entered in 64-bit mode. */
export async function buildGuests(): Promise<void> {
  await mkdir(output, { recursive: true });
  for (const entry of await readdir(source, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const files = (await readdir(join(source, entry.name)))
      .filter((file) => /\.[cS]$/.test(file))
      .sort()
      .map((file) => join(source, entry.name, file));
    if (!files.some((file) => file.endsWith(".S"))) files.unshift(join(source, "long-mode.S"));
    const temporary = join(output, `${entry.name}.new`);
    const words = [
      ...options,
      `-ffile-prefix-map=${paths.checkout}=.`,
      "-D__XEN_TOOLS__",
      "-I",
      paths.xenInclude(),
      ...files,
      "-o",
      temporary,
    ];
    await execa("gcc", words, { env: buildEnvironment() });
    await rename(temporary, join(output, `${entry.name}.elf`));
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await buildGuests();
