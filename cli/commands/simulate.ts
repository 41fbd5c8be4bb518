// SPDX-License-Identifier: Apache-2.0
// `domb simulate LAUNCH|IMAGE`: runs the boot domain's own wasm on a model of Xen, in seconds and
// with neither QEMU nor Xen installed; with faults, little memory, or changes that a seed gives.

import { type Command, InvalidArgumentError } from "commander";
import { nearestName } from "../../compiler/description/nearest-name.js";
import { parseSize } from "../../compiler/description/size.js";
import type { Trust } from "../../compiler/signature/sign-image.js";
import { encodeTrust } from "../../compiler/signature/trust.js";
import { PAGE_SIZE } from "../../contract/limits.js";
import {
  behaviourForms,
  behavioursIn,
  formatBehaviour,
  type NamedBehaviour,
  parseBehaviour,
} from "../../simulator/behaviours.js";
import { type Fault, faultForms, formatFault, parseFault } from "../../simulator/faults.js";
import { fuzzCase } from "../../simulator/fuzz.js";
import { hostileHost } from "../../simulator/hostile-host.js";
import { judgeLaunch } from "../../simulator/judge.js";
import { followerOf, knowledgeOf } from "../../simulator/knowledge.js";
import { machineOf } from "../../simulator/machine.js";
import { loadBootDomain } from "../../simulator/simulate.js";
import { Trace } from "../../simulator/trace.js";
import { grantLimitsFor } from "../../xen-model/domain-tables.js";
import { formatReceipt } from "../../xen-model/receipt-document.js";
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
import { type SimulatedPlans, simulationText } from "../describe-simulation.js";
import { addTrustOptions, type TrustOptions, takeSigned, takeTrust } from "../keys.js";
import { writeOutput } from "../output.js";

const schema = "domb.simulate/1";
/** A host with room for anything: 1 TiB. */
export const anyPages = 0x10000000;
/** Physical CPUs that a plan can name. */
const MOST_CPUS = 64;

interface SimulateOptions extends TrustOptions {
  readonly behave: readonly NamedBehaviour[];
  readonly fault: readonly Fault[];
  readonly flip: readonly Flip[];
  readonly freeMemory?: number;
  readonly cpus?: number;
  readonly seed?: string;
  readonly receipt?: string;
  readonly trace?: boolean;
  readonly policy?: string;
  readonly json?: boolean;
}

/** A bit of the image that is flipped. */
interface Flip {
  readonly byte: number;
  readonly bit: number;
}

export function registerSimulate(program: Command): void {
  const command = program
    .command("simulate")
    .summary("run a launch on a model of Xen")
    .description(
      "Runs the boot domain's own wasm on a model of Xen of the launch's architecture, and shows the " +
        "receipt. Domains do what the launch awaits of them, unless --behave says otherwise.",
    )
    .argument("<launch>", "launch.yaml, launch.ts or a launch image")
    .option(
      "--fault <fault>",
      `a hypercall that fails, as ${faultForms}; may be repeated`,
      takeFault,
      [],
    )
    .option(
      "--behave <behaviour>",
      `what a domain does once it runs, as ${behaviourForms}; may be repeated`,
      takeBehaviour,
      [],
    )
    .option(
      "--flip <bit>",
      "a bit of the image that is flipped, as BYTE:BIT; may be repeated",
      takeFlip,
      [],
    )
    .option("--free-memory <size>", "memory of the host that is free at the start", takeSize)
    .option("--cpus <number>", "physical CPUs of the host (default: 8)", takeCpus)
    .option("--seed <seed>", "change image, host and faults as this seed says, for tests")
    .option("--policy <file>", "FLASK policy that Xen enforces, if an image is for one")
    .option("--receipt <file>", "write the receipt, as JSON")
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
        "  domb simulate launch.yaml --behave storage=signal@2s,end@3s:crash --behave web=silent",
        "  domb simulate launch.yaml --receipt receipt.json",
        "\nA fault names a hypercall (createDomain, populate, copy, ...), which of them, and what it",
        "gives instead: an errno, with @N behind it if N pages or extents are done before; or a",
        "number, which is done and answered. --trace shows how each hypercall is named.",
        "\nA behaviour names a domain and what it does after its start, in us, ms or s: it signals that",
        "it is ready, by its own event channel or with :port=N by another one of the boot domain's; it",
        "ends, by poweroff or as :REASON says; it crashes; or it is silent.",
      ].join("\n"),
    )
    .action(simulate);
}

function takeFault(text: string, earlier: readonly Fault[]): readonly Fault[] {
  const parsed = parseFault(text);
  if (!parsed.ok) throw new InvalidArgumentError(`${parsed.problem}.`);
  return [...earlier, parsed.fault];
}

function takeBehaviour(
  text: string,
  earlier: readonly NamedBehaviour[],
): readonly NamedBehaviour[] {
  const parsed = parseBehaviour(text);
  if (!parsed.ok) throw new InvalidArgumentError(`${parsed.problem}.`);
  return [...earlier, parsed.behaviour];
}

function takeFlip(text: string, earlier: readonly Flip[]): readonly Flip[] {
  const match = /^(\d{1,10}):([0-7])$/.exec(text);
  if (match === null)
    throw new InvalidArgumentError("Give a byte and one of its bits, as in 16420:7.");
  return [...earlier, { byte: Number(match[1]), bit: Number(match[2]) }];
}

function takeCpus(text: string): number {
  const cpus = Number(text);
  if (/^\d{1,2}$/.test(text) && cpus >= 1 && cpus <= MOST_CPUS) return cpus;
  throw new InvalidArgumentError(`Give a number from 1 to ${MOST_CPUS}.`);
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
  const { fault, flip, freeMemory, seed } = options;
  if (seed === undefined) {
    const freePages = freeMemory === undefined ? anyPages : Math.floor(freeMemory / PAGE_SIZE);
    return { ...flipped(original, flip), freePages, faults: fault };
  }
  if (fault.length > 0 || flip.length > 0 || freeMemory !== undefined) {
    const fix = "Leave out --seed, or what goes with it.";
    throw new CommandError("DOMB6001", "--seed decides faults, flips and free memory itself", fix);
  }
  const { hostile, ...changed } = fuzzCase(original, seed);
  return { ...changed, between: hostile === undefined ? undefined : hostileHost(hostile) };
}

/** The image with some bits flipped, and what that is in words. */
function flipped(original: Uint8Array, flips: readonly Flip[]): Pick<Setting, "image" | "changes"> {
  if (flips.length === 0) return { image: original, changes: [] };
  const image = original.slice();
  const changes = flips.map(({ byte, bit }) => {
    const found = image[byte];
    if (found === undefined) {
      const message = `--flip names byte ${byte}, and the image has ${image.length}`;
      throw new CommandError("DOMB6001", message, "Name a byte of the image.");
    }
    image[byte] = found ^ (1 << bit);
    return `bit ${bit} of byte ${byte} is flipped`;
  });
  return { image, changes };
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
  const trust = encodeTrust(trusted.trust);
  // What is changed of the image may be the very plan that has the domain.
  checkBehaviours(options.behave, plansOf(signed, { machine, trust }));
  const plans = plansOf(image, { machine, trust });
  const trace = new Trace(followerOf(image, { machine, trust }, policy));
  const wasm = await readWasm();
  const { main, recovery } = plans;
  const behaviourOf = behavioursIn(
    [main, recovery].filter((plan) => plan !== undefined),
    options.behave,
  );
  const { simulation, broken } = judgeLaunch(image, {
    ...{ wasm, machine, freePages, policy, trust, faults, between, behaviourOf },
    ...{ cpus: options.cpus, observe: trace.observe },
    // As `domb boot` and `domb media` tell Xen.
    grantLimits: grantLimitsFor(main?.domains ?? []),
  });
  if (simulation !== undefined && options.receipt !== undefined) {
    const document = Buffer.from(formatReceipt(simulation.receipt));
    await writeOutput(options.receipt, document, [path, ...(options.trust ?? [])], "--receipt");
  }
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
  if (tracing) printText(`${trace.lines().join("\n")}\n\n`);
  if (simulation !== undefined) printText(simulationText(simulation, plans));
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

/** The plans that may run. */
function plansOf(
  image: Uint8Array,
  setting: { machine: number; trust?: Uint8Array },
): SimulatedPlans {
  const { main, recovery } = knowledgeOf(image, setting).plans;
  return { main: main.plan, recovery: recovery.plan };
}

/** Refuses what is said of a domain that there is not. */
function checkBehaviours(
  behave: readonly NamedBehaviour[],
  { main, recovery }: SimulatedPlans,
): void {
  if (main === undefined && recovery === undefined) return;
  const names = [main, recovery].flatMap((plan) => plan?.domains ?? []).map(({ name }) => name);
  for (const { name } of behave) {
    if (names.includes(name)) continue;
    const meant = nearestName(name, names);
    const fix = meant === undefined ? `Name one of ${names.join(", ")}.` : `Did you mean ${meant}?`;
    throw new CommandError("DOMB6001", `--behave names domain ${name}, which there is not`, fix);
  }
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
  const { main, recovery } = plansOf(image, {
    ...{ machine: machineOf(image), trust: encodeTrust(trust) },
  });
  const plan = main ?? recovery;
  if (plan !== undefined) checkPolicyOption(path, plan, policy);
  return { image, policy };
}

/** The command that runs the same launch again. */
function repetition(path: string, options: SimulateOptions): string {
  const { behave, fault, flip, freeMemory, cpus, policy, seed } = options;
  const { key, trust = [], leastVersion } = options;
  const words = [
    ...(key === undefined ? [] : [` --key ${key}`]),
    ...trust.map((file) => ` --trust ${file}`),
    ...(leastVersion === undefined ? [] : [` --least-version ${leastVersion}`]),
    ...(policy === undefined ? [] : [` --policy ${policy}`]),
    ...behave.map((one) => ` --behave ${formatBehaviour(one)}`),
    ...fault.map((one) => ` --fault ${formatFault(one)}`),
    ...flip.map(({ byte, bit }) => ` --flip ${byte}:${bit}`),
    ...(cpus === undefined ? [] : [` --cpus ${cpus}`]),
    ...(freeMemory === undefined ? [] : [` --free-memory "${freeMemory / 1024} KiB"`]),
    ...(seed === undefined ? [] : [` --seed ${seed}`]),
  ];
  return `domb simulate ${path}${words.join("")} --trace`;
}

/** The boot domain as built. Throws a CommandError if it is not. */
export async function readWasm(): Promise<WebAssembly.Module> {
  try {
    return await loadBootDomain();
  } catch {
    throw new CommandError("DOMB6004", "the boot domain is not built", "Run: npm run build");
  }
}
