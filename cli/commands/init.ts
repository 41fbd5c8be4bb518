// SPDX-License-Identifier: Apache-2.0
// `domb init [DIR]`: writes a first launch.yaml, and says what to do next. It never overwrites.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { makeFolder } from "../output.js";

export const FIRST_DESCRIPTION = `# A launch description: the domains that a Xen host starts with. Paths are relative to this file.
domb: 1                       # the version of this format

domains:
  web:
    kernel: ./vmlinuz         # a bzImage, or an ELF file with a PVH note; or for arm64: an Image
    ramdisk: ./initrd.gz      # optional
    cmdline: earlyprintk=xen,keep quiet domain=web # arm64: console=ttyAMA0 quiet domain=web
    memory: 256 MiB           # a unit is required: KiB, MiB, GiB or TiB
    output: xen-log           # it may write to Xen's log; without this line it is silent

  storage:
    kernel: ./vmlinuz
    ramdisk: ./initrd.gz
    cmdline: earlyprintk=xen,keep quiet domain=storage
    memory: 256 MiB
    domid: 5                  # optional: without it a domain gets the lowest that is free
    output: xen-log
`;

/** What writing came to; a file that is there, or a directory that can't be made, is bad input. */
export type InitOutcome =
  | { readonly ok: true; readonly path: string }
  | { readonly ok: false; readonly message: string; readonly fix: string };

/** Writes launch.yaml into `directory`, which is made where it is missing. */
export async function initLaunch(directory: string): Promise<InitOutcome> {
  const path = join(directory, "launch.yaml");
  try {
    await makeFolder(directory);
    await writeFile(path, FIRST_DESCRIPTION, { flag: "wx" });
    return { ok: true, path };
  } catch (error) {
    const { code, message, syscall } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return code === "EEXIST" && syscall === "open"
      ? {
          ok: false,
          message: `${path} is already there, and is left as it is`,
          fix: "Give another directory, as in `domb init first`, or move the file away.",
        }
      : {
          ok: false,
          message: `${path} can't be written: ${message}`,
          fix: "Give a directory that this user may write to, as in `domb init first`.",
        };
  }
}

function nextSteps(path: string): string {
  return [
    `${path} is written. Next:`,
    "  1. Put a kernel and a ramdisk beside it, or change its lines `kernel` and `ramdisk`.",
    `  2. domb check ${path}`,
    `  3. domb boot ${path}`,
    "",
  ].join("\n");
}

/** Adds the command; the exit code is 2 where nothing was written. */
export function registerInit(program: Command): void {
  program
    .command("init")
    .summary("write a first launch description")
    .description("Writes a first launch.yaml with comments. It overwrites nothing.")
    .argument("[directory]", "where to write it", ".")
    .option("--json", "print one JSON document")
    .addHelpText("after", "\nExamples:\n  domb init\n  domb init my-host")
    .action(async (directory: string, { json = false }: { json?: boolean }) => {
      const outcome = await initLaunch(directory);
      if (!outcome.ok) process.exitCode = 2;
      if (json) {
        process.stdout.write(`${JSON.stringify({ schema: "domb.init/1", ...outcome })}\n`);
      } else if (outcome.ok) {
        process.stdout.write(nextSteps(outcome.path));
      } else {
        process.stderr.write(`error: ${outcome.message}\n  fix: ${outcome.fix}\n`);
      }
    });
}
