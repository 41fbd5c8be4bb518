// SPDX-License-Identifier: Apache-2.0
// What stands in the way of boot media, as the command says it: with a code and the way out.

import { MediaError } from "../media/problem.js";
import { CommandError } from "./answer.js";

/** A MediaError as the command's; all else as it is. */
export function toCommandError(error: unknown): unknown {
  if (!(error instanceof MediaError)) return error;
  const { problem } = error;
  switch (problem.kind) {
    case "missing-program": {
      const fix = `Run: apt-get install ${problem.debianPackage}`;
      return new CommandError("DOMB6004", `${problem.program} is missing`, fix);
    }
    case "failed-program": {
      const fix = "Mend what it complains about, and run the command again.";
      return new CommandError("DOMB6022", `${problem.program} failed: ${problem.words}`, fix);
    }
    default:
      return new CommandError("DOMB6021", problem.what, problem.fix);
  }
}

/** What a check throws, as the command says it. */
export function guarded(check: () => void): void {
  try {
    check();
  } catch (error) {
    throw toCommandError(error);
  }
}
