// SPDX-License-Identifier: Apache-2.0
// Runs the command within a test: what it prints where, and its exit code.

import type { Command } from "commander";
import { vi } from "vitest";
import { makeProgram, runProgram } from "./program.js";

export interface Run {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `domb` with these words. */
export function domb(...words: string[]): Promise<Run> {
  return run(makeProgram(), words);
}

export async function run(program: Command, words: readonly string[]): Promise<Run> {
  const printed = { stdout: "", stderr: "" };
  const spies = (["stdout", "stderr"] as const).map((stream) =>
    vi.spyOn(process[stream], "write").mockImplementation((text) => {
      printed[stream] += text;
      return true;
    }),
  );
  const before = process.exitCode;
  process.exitCode = 0;
  try {
    await runProgram(words, program);
    return { exitCode: Number(process.exitCode ?? 0), ...printed };
  } finally {
    process.exitCode = before;
    for (const spy of spies) spy.mockRestore();
  }
}
