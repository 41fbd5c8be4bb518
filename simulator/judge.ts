// SPDX-License-Identifier: Apache-2.0
// Runs a launch, of whatever bytes and faults, and says which of the promises that the boot domain
// makes it has broken: no trap, nothing beyond its bounds, one exit with the status that the
// receipt has, work within the plan's bound, no domain with unverified bytes started, nothing left
// of a failed launch, no page lost.

import { createHash } from "node:crypto";
import type { Plan } from "../compiler/plan/plan.js";
import { workOfLaunch } from "../compiler/plan/work.js";
import { decodeTrust } from "../compiler/signature/trust.js";
import { ImageHeader, MACHINE_X86_64 } from "../contract/image.js";
import { LaunchStatus } from "../contract/receipt.js";
import { SIGNATURE_BYTES } from "../contract/trust.js";
import { XEN_EACCES } from "../contract/xen-abi.js";
import type { Hypercall } from "../xen-model/hypercalls.js";
import {
  type AcceptedPlan,
  acceptedPlan,
  type IntactMaterials,
  intactMaterials,
} from "./accepted-plan.js";
import { type Fault, injectFaults } from "./faults.js";
import { imageFrame, type Simulation, type SimulationOptions, simulateLaunch } from "./simulate.js";
import { MOST_PLAN_BYTES } from "./suite/image-cases.js";

export interface JudgedLaunch {
  /** The plan that the image has; undefined if it must not run. */
  readonly plan: Plan | undefined;
  /** Undefined when the boot domain trapped. */
  readonly simulation: Simulation | undefined;
  /** Broken promises, in words; empty: none. */
  readonly broken: readonly string[];
}

export interface JudgeOptions {
  readonly wasm: WebAssembly.Module;
  /** The host's architecture, as in ImageHeader.machine; default: MACHINE_X86_64. */
  readonly machine?: number | undefined;
  readonly freePages: number;
  readonly policy?: Uint8Array | undefined;
  /** Whom the boot domain trusts, a TrustRecord; default: nobody. */
  readonly trust?: Uint8Array | undefined;
  readonly faults?: readonly Fault[];
  /** Puts a hostile host between boot domain and model. */
  readonly between?: SimulationOptions["between"] | undefined;
  readonly observe?: SimulationOptions["observe"] | undefined;
  /** Parts of linear memory that nothing may write. */
  readonly gaps?: readonly MemoryGap[];
}

/** Bytes of linear memory from an address, as they are before the launch. */
export interface MemoryGap {
  readonly from: number;
  readonly bytes: Uint8Array;
}

/** What lies `between` the boot domain's tables, as its wasm begins with it. */
export function memoryGaps(
  wasm: WebAssembly.Module,
  between: readonly (readonly [from: number, to: number])[],
): readonly MemoryGap[] {
  // The image is refused before it is read.
  const { memory } = simulateLaunch(new Uint8Array(), { wasm, freePages: 0 });
  return between.map(([from, to]) => ({ from, bytes: memory.slice(from, to) }));
}

/** Statuses of an image or plan that is refused before anything runs. */
const refused: ReadonlySet<number> = new Set([
  LaunchStatus.imageTruncated,
  LaunchStatus.imageMagic,
  LaunchStatus.imageVersion,
  LaunchStatus.imageTarget,
  LaunchStatus.imageMalformed,
  LaunchStatus.planDigest,
  LaunchStatus.planMalformed,
  LaunchStatus.signature,
  LaunchStatus.launchVersion,
]);

/** Hypercalls of an image that is refused: that it is not verified, two lines, the exit. */
const REFUSAL_HYPERCALLS = 4;

interface Knowledge {
  readonly machine: number;
  readonly trust: Uint8Array | undefined;
  readonly accepted: AcceptedPlan | undefined;
  intact?: IntactMaterials;
}

/** The same image is launched with many faults. */
const known = new WeakMap<Uint8Array, Knowledge>();

function knowledgeOf(image: Uint8Array, trust: Uint8Array | undefined, machine: number): Knowledge {
  const found = known.get(image);
  if (found?.machine === machine && found.trust === trust) return found;
  const accepted = acceptedPlan(image, trust && decodeTrust(trust), machine);
  const knowledge = { machine, trust, accepted };
  known.set(image, knowledge);
  return knowledge;
}

export function judgeLaunch(image: Uint8Array, options: JudgeOptions): JudgedLaunch {
  const { wasm, machine = MACHINE_X86_64, freePages, policy, trust } = options;
  const { faults = [], between, observe, gaps = [] } = options;
  const broken: string[] = [];
  const knowledge = knowledgeOf(image, trust, machine);
  const plan = knowledge.accepted?.plan;
  const intact = (): IntactMaterials | undefined => {
    if (plan !== undefined) knowledge.intact ??= intactMaterials(image, plan, machine);
    return knowledge.intact;
  };
  /** Whether Xen has said that the launch is for another one. */
  let another = false;
  /** Domains that hold bytes nobody vouches for. */
  const tainted = new Set<number>();

  const watch = (call: Hypercall, answer: number | undefined, endNs: number): void => {
    observe?.(call, answer, endNs);
    if (call.name === "drop" && answer === -XEN_EACCES) another = true;
    if (call.name === "createDomain" && answer === 0) tainted.delete(call.domid);
    if (call.name === "copy" && call.sourceFrame !== undefined) {
      const first = call.sourceFrame - imageFrame;
      for (let page = first; page < first + call.wanted; page++) {
        if (intact()?.pages.has(page) !== true) tainted.add(call.domid);
      }
    }
    if (call.name === "start" && answer === 0 && tainted.has(call.domid)) {
      broken.push(`domain d${call.domid} was started with bytes that were not verified`);
    }
  };

  let simulation: Simulation;
  try {
    simulation = simulateLaunch(image, {
      wasm,
      ...{ machine, freePages, policy, trust },
      inject: injectFaults(faults),
      observe: watch,
      ...(between === undefined ? {} : { between }),
    });
  } catch (error) {
    return { plan, simulation: undefined, broken: [`the boot domain trapped: ${String(error)}`] };
  }

  const say: Say = (holds, words) => {
    if (!holds) broken.push(words);
  };
  const isXen = between === undefined;
  const exits = isXen && !faults.some(({ hypercall }) => hypercall === "exit");
  say(simulation.exit !== undefined || !exits, "there was no exit");
  checkExit(simulation, say);
  checkWork(simulation, knowledge.accepted, say, another);
  for (const { context, started, domid } of simulation.domains.values()) {
    if (!started || context === undefined) continue;
    const digest = createHash("sha256").update(context).digest("hex");
    const verified = intact()?.contexts.has(digest) === true;
    say(verified, `domain d${domid} runs with a context not verified`);
  }
  for (const { from, bytes } of gaps) {
    const now = simulation.memory.subarray(from, from + bytes.length);
    const whole = Buffer.compare(now, bytes) === 0;
    say(whole, `the memory from ${from} has changed, where no table is`);
  }
  const held = [...simulation.domains.values()].reduce(
    (sum, domain) => sum + domain.totalPages + domain.pagingPoolPages + domain.structurePages,
    0,
  );
  say(simulation.freePages + held === freePages, "pages were lost or made");
  const undone = isXen && !faults.some(({ hypercall }) => ending.has(hypercall));
  checkWhatIsLeft(simulation, say, undone);
  return { plan, simulation, broken };
}

/** Takes down a promise, in words, if it does not hold. */
type Say = (holds: boolean, words: string) => void;

/** The exit says what the receipt says. */
function checkExit({ exit, receipt }: Simulation, say: Say): void {
  if (exit === undefined) return;
  for (const field of ["status", "step", "operation", "domain", "error"] as const) {
    const [told, kept] = [exit[field] | 0, receipt[field] | 0];
    say(told === kept, `the exit has ${field} ${told}, the receipt ${kept}`);
  }
}

/** What is read of a main plan that is refused, at most. */
const MOST_REFUSED_BYTES = ImageHeader.size + MOST_PLAN_BYTES + SIGNATURE_BYTES;

/** Only what may run has run, and no longer than its plan allows. */
function checkWork(
  simulation: Simulation,
  accepted: AcceptedPlan | undefined,
  say: Say,
  another: boolean,
): void {
  const { receipt, hypercalls, imageBytesRead } = simulation;
  const words = `status ${receipt.status} for an image that`;
  const told = receipt.status === LaunchStatus.imageTarget && receipt.error === XEN_EACCES;
  const refusedByXen = another && told;
  say(
    (refused.has(receipt.status) && !refusedByXen) === (accepted === undefined),
    `${words} ${accepted === undefined ? "must not" : "may"} run`,
  );
  if (accepted === undefined) {
    say(hypercalls <= REFUSAL_HYPERCALLS, `${hypercalls} hypercalls for an image not accepted`);
    return;
  }
  const { plan, isRecovery } = accepted;
  say((receipt.main !== undefined) === isRecovery, `${words} has another plan to run`);
  const { hypercalls: ofRun, imageBytes: ofPlan } = workOfLaunch(plan);
  const most = ofRun + (isRecovery ? REFUSAL_HYPERCALLS - 1 : 0);
  const imageBytes = ofPlan + (isRecovery ? MOST_REFUSED_BYTES : 0);
  say(hypercalls <= most, `${hypercalls} hypercalls, of ${most} at most`);
  say(
    imageBytesRead <= imageBytes,
    `${imageBytesRead} bytes of the image read, of ${imageBytes} at most`,
  );
}

/** Hypercalls of the clean-up and the exit: if they fail, something running can be left. */
const ending: ReadonlySet<Fault["hypercall"]> = new Set(["destroy", "exit"]);

/**
 * Nothing is left of a launch that failed and was undone, nothing that was not started, and what
 * runs is what the receipt says.
 */
function checkWhatIsLeft({ exit, receipt, domains }: Simulation, say: Say, undone: boolean): void {
  const failed = receipt.status !== LaunchStatus.success;
  for (const { domid, started } of domains.values()) {
    say(started || exit === undefined, `domain d${domid} is left of the launch, not started`);
    if (!undone) continue;
    say(!failed, `domain d${domid} runs although the launch failed`);
    const told = receipt.domains.find((domain) => domain.domid === domid)?.state;
    say(told === "started", `domain d${domid} runs, the receipt says ${told}`);
  }
  if (failed || !undone) return;
  const running = receipt.domains.filter(({ state }) => state === "started");
  say(running.length === domains.size, `${domains.size} domains for ${running.length} started`);
}
