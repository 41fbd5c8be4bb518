// SPDX-License-Identifier: Apache-2.0
// `domb simulate LAUNCH|IMAGE`: runs the boot domain's own wasm on a model of Xen, in seconds and
// with neither QEMU nor Xen installed; with faults, little memory, or changes that a seed gives.

import { type Command, InvalidArgumentError } from "commander";
import { parseSize } from "../../compiler/description/size.js";
import type { Plan } from "../../compiler/plan/plan.js";
import type { Trust } from "../../compiler/signature/sign-image.js";
import { encodeTrust } from "../../compiler/signature/trust.js";
import { PAGE_SIZE } from "../../contract/limits.js";
import { acceptedPlan } from "../../simulator/accepted-plan.js";
import { type Fault, faultForms, formatFault, parseFault } from "../../simulator/faults.js";
import { fuzzCase } from "../../simulator/fuzz.js";
import { hostileHost } from "../../simulator/hostile-host.js";
import { judgeLaunch } from "../../simulator/judge.js";
import { machineOf } from "../../simulator/machine.js";
import { loadBootDomain, type Simulation } from "../../simulator/simulate.js";
import { Trace } from "../../simulator/trace.js";
import { errnoName } from "../../xen-model/errno.js";
import { launchStatusName, type Receipt } from "../../xen-model/receipt.js";
import {
  CommandError,
  checkPolicyOption,
  compileFile,
  EXIT,
  looksLikeImage,
  printJson,
  printText,
  readBytes,
  refusePolicyOption,
  take,
} from "../answer.js";
import { plainTable } from "../describe-launch.js";
import { addTrustOptions, type TrustOptions, takeSigned, takeTrust } from "../keys.js";

const schema = "domb.simulate/1";
/** A host with room for anything: 1 TiB. */
export const anyPages = 0x10000000;

interface SimulateOptions extends TrustOptions {
  readonly fault: readonly Fault[];
  readonly freeMemory?: number;
  readonly seed?: string;
  readonly trace?: boolean;
  readonly policy?: string;
  readonly json?: boolean;
}

export function registerSimulate(program: Command): void {
  const command = program
    .command("simulate")
    .summary("run a launch on a model of Xen")
    .description(
      "Runs the boot domain's own wasm on a model of Xen of the launch's architecture, and shows the " +
        "receipt.",
    )
    .argument("<launch>", "launch.yaml, launch.ts or a launch image")
    .option(
      "--fault <fault>",
      `a hypercall that fails, as ${faultForms}; may be repeated`,
      takeFault,
      [],
    )
    .option("--free-memory <size>", "memory of the host that is free at the start", takeSize)
    .option("--seed <seed>", "change image, host and faults as this seed says, for tests")
    .option("--policy <file>", "FLASK policy that Xen enforces, if an image is for one")
    .option("--trace", "show each hypercall, with its virtual time")
    .option("--json", "print one JSON document");
  addTrustOptions(command)
    .addHelpText(
      "after",
      [
        "\nExamples:",
        "  domb simulate launch.yaml --trace",
        '  domb simulate launch.yaml --fault "populate:3=ENOMEM" --fault destroy:1=EINVAL',
        '  domb simulate launch.img --free-memory "300 MiB"',
        "\nA fault names a hypercall (createDomain, populate, copy, ...), which of them, and what it",
        "gives instead: an errno, with @N behind it if N pages or extents are done before; or a",
        "number, which is done and answered. --trace shows how each hypercall is named.",
      ].join("\n"),
    )
    .action(simulate);
}

function takeFault(text: string, earlier: readonly Fault[]): readonly Fault[] {
  const parsed = parseFault(text);
  if (!parsed.ok) throw new InvalidArgumentError(`${parsed.problem}.`);
  return [...earlier, parsed.fault];
}

function takeSize(text: string): number {
  const size = parseSize(text);
  if (!size.ok) throw new InvalidArgumentError("Give a size with its unit, as in '300 MiB'.");
  return size.bytes;
}

/** What is launched, on what host. */
interface Setting {
  readonly image: Uint8Array;
  readonly freePages: number;
  readonly faults: readonly Fault[];
  readonly between?: ReturnType<typeof hostileHost> | undefined;
  /** What a seed has changed, in words. */
  readonly changes: readonly string[];
}

function settingOf(original: Uint8Array, options: SimulateOptions): Setting {
  const { fault, freeMemory, seed } = options;
  if (seed === undefined) {
    const freePages = freeMemory === undefined ? anyPages : Math.floor(freeMemory / PAGE_SIZE);
    return { image: original, freePages, faults: fault, changes: [] };
  }
  if (fault.length > 0 || freeMemory !== undefined) {
    const fix = "Leave out --seed, or what goes with it.";
    throw new CommandError("DOMB6001", "--seed decides faults and free memory itself", fix);
  }
  const { hostile, ...changed } = fuzzCase(original, seed);
  return { ...changed, between: hostile === undefined ? undefined : hostileHost(hostile) };
}

async function simulate(path: string, options: SimulateOptions): Promise<void> {
  const { json = false, trace: tracing = false } = options;
  const answer = { schema, json };
  const trusted = await takeTrust(options, answer);
  if (trusted === undefined) return;
  const { secret } = trusted;
  const launch = await readLaunch(path, options, trusted);
  if (launch === undefined) return;
  const { policy } = launch;
  const signed =
    secret === undefined
      ? launch.image
      : takeSigned(launch.image, secret, options.key ?? "", answer);
  if (signed === undefined) return;
  const { image, freePages, faults, between, changes } = settingOf(signed, options);
  const machine = machineOf(signed);
  const plan = acceptedPlan(image, trusted.trust, machine)?.plan;
  const trust = encodeTrust(trusted.trust);
  const trace = new Trace(plan);
  const wasm = await readWasm();
  const { simulation, broken } = judgeLaunch(image, {
    ...{ wasm, machine, freePages, policy, trust, faults, between },
    observe: trace.observe,
  });
  if (broken.length > 0) process.exitCode = EXIT.bug;
  else if (simulation?.receipt.status !== 0 || simulation.receipt.main !== undefined)
    process.exitCode = EXIT.launchFailed;
  if (json) {
    const { receipt, exit, consoleLines } = simulation ?? {};
    const ok = receipt?.status === 0 && broken.length === 0;
    const hypercalls = tracing ? trace.calls : undefined;
    printJson(schema, { ok, receipt, exit, consoleLines, changes, hypercalls, broken });
    return;
  }
  const unmet = options.fault.filter(
    ({ hypercall, occurrence }) =>
      !trace.calls.some((call) => call.hypercall === hypercall && call.occurrence === occurrence),
  );
  for (const fault of unmet) {
    process.stderr.write(
      `warning: ${formatFault(fault)} was not met: no such hypercall was made\n`,
    );
  }
  if (changes.length > 0) printText(`changes\n${changes.map((one) => `  ${one}\n`).join("")}\n`);
  if (tracing) printText(`${trace.lines(plan).join("\n")}\n\n`);
  if (simulation !== undefined) printText(simulationText(simulation, plan));
  if (broken.length === 0) return;
  process.stderr.write(
    [
      "This is a bug of domb's own: the boot domain broke what it promises.",
      ...broken.map((promise) => `  ${promise}`),
      `Repeat it with: ${repetition(path, options)}`,
      "",
    ].join("\n"),
  );
}

interface ReadLaunch {
  readonly image: Uint8Array;
  readonly policy?: Uint8Array | undefined;
}

/** The launch with its policy; undefined, and said why, if the description is wrong. */
async function readLaunch(
  path: string,
  { policy: policyPath, leastVersion, json = false }: SimulateOptions,
  { secret, trust }: { readonly secret: unknown; readonly trust: Trust },
): Promise<ReadLaunch | undefined> {
  const image = await readBytes(path);
  if (!looksLikeImage(path, image)) {
    refusePolicyOption(path, policyPath);
    const verify = secret === undefined ? undefined : "all";
    const target = { verify, launchVersion: leastVersion } as const;
    return take(await compileFile(path, target), { schema, json });
  }
  const policy = policyPath === undefined ? undefined : await readBytes(policyPath);
  const plan = acceptedPlan(image, trust, machineOf(image))?.plan;
  if (plan !== undefined) checkPolicyOption(path, plan, policy);
  return { image, policy };
}

/** The command that runs the same launch again. */
function repetition(path: string, options: SimulateOptions): string {
  const { fault, freeMemory, policy, seed, key, trust = [], leastVersion } = options;
  const words = [
    ...(key === undefined ? [] : [` --key ${key}`]),
    ...trust.map((file) => ` --trust ${file}`),
    ...(leastVersion === undefined ? [] : [` --least-version ${leastVersion}`]),
    ...(policy === undefined ? [] : [` --policy ${policy}`]),
    ...fault.map((one) => ` --fault ${formatFault(one)}`),
    ...(freeMemory === undefined ? [] : [` --free-memory "${freeMemory / 1024} KiB"`]),
    ...(seed === undefined ? [] : [` --seed ${seed}`]),
  ];
  return `domb simulate ${path}${words.join("")} --trace`;
}

/** The boot domain's wasm. Throws a CommandError if it is not built. */
export async function readWasm(): Promise<WebAssembly.Module> {
  try {
    return await loadBootDomain();
  } catch {
    throw new CommandError("DOMB6004", "the boot domain is not built", "Run: npm run build");
  }
}

function verificationText({ verifiedBy, launchVersion }: Receipt): string {
  return verifiedBy === 0
    ? "NOT VERIFIED: by no key that is trusted"
    : `by trusted key ${verifiedBy}, launch version ${launchVersion}`;
}

function simulationText(simulation: Simulation, plan: Plan | undefined): string {
  const { receipt, exit, hypercalls } = simulation;
  const milliseconds = (ticks: number): string =>
    `${(ticks / receipt.clockKilohertz).toFixed(3)} ms`;
  const rows = receipt.domains.map(({ domid, state, createdAt, startedAt }, index) => [
    plan?.domains[index]?.name ?? "",
    String(domid),
    state,
    createdAt === 0 ? "never" : milliseconds(createdAt),
    startedAt === 0 ? "never" : milliseconds(startedAt),
  ]);
  const { status, step, operation, domain, error } = receipt;
  const where =
    status === 0
      ? ""
      : `: step ${step}, operation ${operation}, domain ${domain}, error ${error === 0 ? "none" : errnoName(error)}`;
  return [
    plainTable(["domain", "domid", "state", "created at", "started at"], rows),
    "",
    `time    ${milliseconds(receipt.endedAt - receipt.beganAt)} of the model's, ${hypercalls} hypercalls`,
    `plan    ${receipt.planDigest}`,
    `signed  ${verificationText(receipt)}`,
    ...(receipt.main === undefined
      ? []
      : [
          `ran     the recovery plan, after the main one: ${launchStatusName(receipt.main.status)}`,
        ]),
    `status  ${launchStatusName(status)}${where}`,
    ...(exit === undefined ? ["exit    refused: Xen ends the boot domain as crashed"] : []),
    "",
  ].join("\n");
}
