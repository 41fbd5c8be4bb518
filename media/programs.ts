// SPDX-License-Identifier: Apache-2.0
// Runs the programs that boot media are made with, without a shell. Their output is the same
// wherever and whenever they run: no locale, no time but the one that is given.

import { ExecaError, execa } from "execa";
import { MediaError } from "./problem.js";

/** Programs, with the Debian package of each. */
const debianPackages = {
  objcopy: "binutils",
  osslsigncode: "osslsigncode",
  mkimage: "u-boot-tools",
} as const;

const lastWords = 300;

/** Runs a program in a folder until it ends; throws a MediaError if it does not succeed. */
export async function runProgram(
  program: keyof typeof debianPackages,
  words: readonly string[],
  { directory, signal }: { readonly directory: string; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  try {
    await execa(program, words, {
      cwd: directory,
      env: { LC_ALL: "C", TZ: "UTC", SOURCE_DATE_EPOCH: "0" },
      stdin: "ignore",
      all: true,
      ...(signal === undefined ? {} : { cancelSignal: signal }),
    });
  } catch (error) {
    if (!(error instanceof ExecaError) || error.isCanceled) throw error;
    if (error.code === "ENOENT") {
      const debianPackage = debianPackages[program];
      throw new MediaError({ kind: "missing-program", program, debianPackage });
    }
    const said = String(error.all ?? "").trim() || error.shortMessage;
    const words = said.slice(-lastWords).replace(/\s*\n\s*/g, "; ");
    throw new MediaError({ kind: "failed-program", program, words });
  }
}
