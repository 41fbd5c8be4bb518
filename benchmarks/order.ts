// SPDX-License-Identifier: Apache-2.0
// Domains that start in parallel, and the same one after another, in virtual time on real Xen: tiny
// kernels that wait as for a device, and then say that they are ready. And the time in which the boot
// domain did nothing although a step could run, of both.

import type { Plan } from "../compiler/plan/plan.js";
import { guestKernel } from "../guests/build.js";
import { booted, compiled, exactTime } from "../lab/lab-bench.js";
import { parseReceiptLines, type Receipt } from "../xen-model/receipt.js";
import type { Figure } from "./sizes.js";

const counts = [2, 8, 32];
/** How long each domain waits before it signals. */
const waitMs = 50;

interface Launch {
  readonly plan: Plan;
  readonly receipt: Receipt;
}

/** Launches so many domains, each after the one before it or all at once. */
async function launched(count: number, inSequence: boolean): Promise<Launch> {
  const name = (index: number): string => `d${index + 1}`;
  const { image, plan, xenCommandLine } = await compiled({
    domb: 1,
    domains: Object.fromEntries(
      Array.from({ length: count }, (_, index) => [
        name(index),
        {
          kernel: guestKernel("ready", "x86_64"),
          cmdline: `sleep=${waitMs} signal up`,
          memory: "4 MiB",
          output: "xen-log" as const,
          ready: { when: "signalled" as const, within: "60 s" },
          after: inSequence && index > 0 ? [name(index - 1)] : [],
        },
      ]),
    ),
  });
  const { outcome } = await booted(image, xenCommandLine, exactTime);
  const receipt = parseReceiptLines(outcome.receiptLines);
  if (outcome.status !== "success" || receipt === undefined) throw new Error(outcome.reason);
  return { plan, receipt };
}

/** Time in which no step ran although one could have, ticks. */
function idleTicks({ plan, receipt }: Launch): number {
  const ran = receipt.steps.toSorted((one, other) => one.beganAt - other.beganAt);
  const pauses = ran.slice(1).map(({ beganAt }, index) => ({
    from: ran[index]?.endedAt ?? beganAt,
    to: beganAt,
  }));
  const couldRun = plan.steps.map(({ afterStep, firstGuard, guardCount }, index) => {
    const guards = plan.guards.slice(firstGuard, firstGuard + guardCount);
    const from = Math.max(
      receipt.beganAt,
      receipt.steps[afterStep - 1]?.endedAt ?? 0,
      ...guards.map((domain) => receipt.domains[domain]?.readyAt ?? 0),
    );
    return { from, to: receipt.steps[index]?.beganAt ?? from };
  });
  return pauses.reduce((sum, pause) => {
    // Where several could have run, the time counts once.
    const from = Math.min(...couldRun.filter(({ to }) => to >= pause.to).map((one) => one.from));
    return sum + Math.max(0, pause.to - Math.max(from, pause.from));
  }, 0);
}

function milliseconds(what: string, ticks: number, { clockKilohertz }: Receipt): Figure {
  return { what, value: Math.round((ticks * 1000) / clockKilohertz) / 1000, unit: "ms" };
}

/** From the boot domain's first instruction to the last domain's readiness. */
export async function orderFigures(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const count of counts) {
    for (const inSequence of [false, true]) {
      const launch = await launched(count, inSequence);
      const { receipt } = launch;
      const how = inSequence ? "one after another" : "in parallel";
      figures.push(
        milliseconds(`${count} domains ${how}`, receipt.endedAt - receipt.beganAt, receipt),
        milliseconds("… of it waiting for domains", receipt.waitTicks, receipt),
        milliseconds("… between steps of which one could run", idleTicks(launch), receipt),
      );
    }
  }
  return figures;
}
