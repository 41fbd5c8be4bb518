// SPDX-License-Identifier: Apache-2.0
// Promises on what a launch leaves: an exit that says what the receipt says, nothing of what failed,
// nothing that was not started, and no page too many or too few.

import { LaunchStatus } from "../../contract/receipt.js";
import type { Fault } from "../faults.js";
import type { Simulation } from "../simulate.js";
import type { Say } from "./check-receipt.js";

/** The exit says what the receipt says. */
export function checkExit({ exit, receipt }: Simulation, say: Say): void {
  if (exit === undefined) return;
  for (const field of ["status", "step", "operation", "domain", "error"] as const) {
    const [told, kept] = [exit[field] | 0, receipt[field] | 0];
    say(told === kept, `the exit has ${field} ${told}, the receipt ${kept}`);
  }
}

/** Every page of the host is free, or somebody's. */
export function checkPages(simulation: Simulation, pages: number, say: Say): void {
  const held = [...simulation.domains.values()].reduce(
    (sum, domain) => sum + domain.totalPages + domain.pagingPoolPages + domain.structurePages,
    simulation.bootDomainPages,
  );
  say(simulation.freePages + held === pages, "pages were lost or made");
}

/** Hypercalls of the clean-up and the exit: if they fail, something running can be left. */
export const ending: ReadonlySet<Fault["hypercall"]> = new Set(["destroy", "exit"]);

/**
 * Nothing is left of a launch that failed and was undone, nothing that was not started, and what
 * runs is what the receipt says.
 */
export function checkWhatIsLeft(
  { exit, receipt, domains }: Simulation,
  say: Say,
  undone: boolean,
): void {
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
