// SPDX-License-Identifier: Apache-2.0
// `domb simulate LAUNCH|IMAGE`: runs the boot domain's own wasm on a model of Xen, in seconds and
// with neither QEMU nor Xen installed.

import type { Command } from "commander";
import { launchStatusName } from "../../lab/launch-observer.js";
import { loadBootDomain, type Simulation, simulateLaunch } from "../../simulator/simulate.js";
import {
  CommandError,
  compileFile,
  EXIT,
  looksLikeImage,
  printJson,
  printText,
  readBytes,
  take,
} from "../answer.js";
import { plainTable } from "../describe-launch.js";

const schema = "domb.simulate/1";
/** A host with room for anything: 1 TiB. */
const freePages = 0x10000000;

export function registerSimulate(program: Command): void {
  program
    .command("simulate")
    .summary("run a launch on a model of Xen")
    .description("Runs the boot domain's own wasm on a model of Xen, and shows the receipt.")
    .argument("<launch>", "launch.yaml, launch.ts or a launch image")
    .option("--json", "print one JSON document")
    .addHelpText("after", "\nExamples:\n  domb simulate launch.yaml\n  domb simulate launch.img")
    .action(async (path: string, { json = false }: { json?: boolean }) => {
      const bytes = await readBytes(path);
      const image = looksLikeImage(path, bytes)
        ? bytes
        : take(await compileFile(path), { schema, json })?.image;
      if (image === undefined) return;
      const simulation = simulateLaunch(image, { wasm: await readWasm(), freePages });
      const { receipt, exit, consoleLines } = simulation;
      if (receipt.status !== 0) process.exitCode = EXIT.launchFailed;
      if (json) printJson(schema, { ok: receipt.status === 0, receipt, exit, consoleLines });
      else printText(simulationText(simulation));
    });
}

async function readWasm(): Promise<WebAssembly.Module> {
  try {
    return await loadBootDomain();
  } catch {
    throw new CommandError("DOMB6004", "the boot domain is not built", "Run: npm run build");
  }
}

function simulationText({ receipt, consoleLines, hypercalls }: Simulation): string {
  const milliseconds = (ticks: number): string =>
    `${(ticks / receipt.clockKilohertz).toFixed(3)} ms`;
  const names = consoleLines.flatMap((line) => /^domb: domain \d+ (\S+) /.exec(line)?.[1] ?? []);
  const rows = receipt.domains.map(({ domid, state, createdAt, startedAt }, index) => [
    names[index] ?? "",
    String(domid),
    state,
    createdAt === 0 ? "never" : milliseconds(createdAt),
    startedAt === 0 ? "never" : milliseconds(startedAt),
  ]);
  const { status, step, operation, domain, error } = receipt;
  const where =
    status === 0 ? "" : `: step ${step}, operation ${operation}, domain ${domain}, error ${error}`;
  return [
    plainTable(["domain", "domid", "state", "created at", "started at"], rows),
    "",
    `time    ${milliseconds(receipt.endedAt - receipt.beganAt)} of the model's, ${hypercalls} hypercalls`,
    `plan    ${receipt.planDigest}`,
    `status  ${launchStatusName(status)}${where}`,
    "",
  ].join("\n");
}
