// SPDX-License-Identifier: Apache-2.0
// `domb doctor`: what this machine lacks, each with the command that installs it.

import type { Command } from "commander";
import { findings } from "../../setup/state.js";
import { EXIT, printJson, printText } from "../answer.js";

export function registerDoctor(program: Command): void {
  program
    .command("doctor")
    .summary("say what this machine lacks")
    .description("Looks for all that domb needs on this machine, and changes nothing.")
    .option("--json", "print one JSON document")
    .addHelpText("after", "\nExample:\n  domb doctor")
    .action(async ({ json = false }: { json?: boolean }) => {
      const found = await findings();
      const missing = found.filter((finding) => !finding.found);
      if (missing.length > 0) process.exitCode = EXIT.environment;
      if (json) {
        printJson("domb.doctor/1", { ok: missing.length === 0, findings: found });
        return;
      }
      for (const { found: there, what, detail, fix } of found) {
        printText(`${there ? "ok     " : "missing"}  ${what}: ${detail}`);
        if (fix !== undefined) printText(`         fix: ${fix}`);
      }
      printText(missing.length === 0 ? "nothing is missing" : `${missing.length} missing`);
    });
}
