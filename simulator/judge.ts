// SPDX-License-Identifier: Apache-2.0
// Runs a launch, of whatever bytes, faults and domains, and says which of the promises that the boot
// domain makes it has broken. What it had to do is worked out in promises/ from what it was answered
// and what its domains really did, never from what it says itself.

import { createHash } from "node:crypto";
import type { Plan } from "../compiler/plan/plan.js";
import { MACHINE_X86_64 } from "../contract/image.js";
import type { Observe } from "../xen-model/xen.js";
import { type Fault, injectFaults } from "./faults.js";
import { followerOf, knowledgeOf } from "./knowledge.js";
import { checkCourse } from "./promises/check-course.js";
import { checkExit, checkPages, checkWhatIsLeft, ending } from "./promises/check-left.js";
import type { Say } from "./promises/check-receipt.js";
import { checkWork } from "./promises/check-work.js";
import { Watched } from "./promises/watched.js";
import { type Simulation, type SimulationOptions, simulateLaunch } from "./simulate.js";

export interface JudgedLaunch {
  /** The plan that is to run first; undefined if none may. */
  readonly plan: Plan | undefined;
  /** Undefined when the boot domain trapped. */
  readonly simulation: Simulation | undefined;
  /** Broken promises, in words; empty: none. */
  readonly broken: readonly string[];
  /** Nanoseconds that were slept away although a step could have run: 0 is promised. */
  readonly idleNs: number;
}

export interface JudgeOptions
  extends Pick<
    SimulationOptions,
    "wasm" | "freePages" | "cpus" | "grantLimits" | "behaviourOf" | "observe"
  > {
  /** The host's architecture, as in ImageHeader.machine; default: MACHINE_X86_64. */
  readonly machine?: number | undefined;
  readonly policy?: Uint8Array | undefined;
  /** Whom the boot domain trusts, a TrustRecord; default: nobody. */
  readonly trust?: Uint8Array | undefined;
  readonly faults?: readonly Fault[];
  /** Puts something between boot domain and model: by default a hostile host. */
  readonly between?: SimulationOptions["between"] | undefined;
  /** Whether the host is Xen, and what is between plays a boot domain; default: nothing is. */
  readonly isXen?: boolean;
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

export function judgeLaunch(image: Uint8Array, options: JudgeOptions): JudgedLaunch {
  const { wasm, machine = MACHINE_X86_64, freePages, policy, trust } = options;
  const { cpus, grantLimits, behaviourOf } = options;
  const { faults = [], between, isXen = between === undefined, observe, gaps = [] } = options;
  const broken: string[] = [];
  const knowledge = knowledgeOf(image, { trust, machine });
  const { plans } = knowledge;
  const plan = plans.main.plan ?? plans.recovery.plan;
  const follower = followerOf(image, { trust, machine }, policy);
  const watched = new Watched(knowledge);
  let lines = 0;

  const watch: Observe = (call, answer, endNs, heard) => {
    observe?.(call, answer, endNs, heard);
    follower.see({ call, answer, endNs, heard });
    if (call.name === "console") lines++;
    const tainted = watched.see(call, answer);
    if (tainted) broken.push(`domain d${call.domid} was started with bytes that were not verified`);
  };

  let simulation: Simulation;
  try {
    simulation = simulateLaunch(image, {
      wasm,
      ...{ machine, freePages, policy, trust, cpus, grantLimits, behaviourOf },
      inject: injectFaults(faults),
      observe: watch,
      ...(between === undefined ? {} : { between }),
    });
  } catch (error) {
    const trapped = `the boot domain trapped: ${String(error)}`;
    return { plan, simulation: undefined, broken: [trapped], idleNs: 0 };
  }

  const say: Say = (holds, words) => {
    if (!holds) broken.push(words);
  };
  const exits = isXen && !faults.some(({ hypercall }) => hypercall === "exit");
  say(simulation.exit !== undefined || !exits, "there was no exit");
  checkExit(simulation, say);
  checkWork(simulation, plans, say, watched.isForAnother);
  for (const { context, started, domid } of simulation.domains.values()) {
    if (!started || context === undefined) continue;
    const digest = createHash("sha256").update(context).digest("hex");
    say(watched.hasContext(digest), `domain d${domid} runs with a context not verified`);
  }
  for (const { from, bytes } of gaps) {
    const now = simulation.memory.subarray(from, from + bytes.length);
    const whole = Buffer.compare(now, bytes) === 0;
    say(whole, `the memory from ${from} has changed, where no table is`);
  }
  checkPages(simulation, freePages, say);
  const undone = isXen && !faults.some(({ hypercall }) => ending.has(hypercall));
  checkWhatIsLeft(simulation, say, undone);
  const idleNs = isXen ? checkCourse(simulation, { follower, trust, lines, undone }, say) : 0;
  return { plan, simulation, broken, idleNs };
}
