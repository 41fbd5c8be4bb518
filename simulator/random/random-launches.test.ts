// SPDX-License-Identifier: Apache-2.0
// Random launches keep every promise: no domain starts before what it waits for is ready, nothing
// unverified runs, nothing is left of what was given up, each ends within its limits, and the receipt
// says what happened. A failing launch is made small, and written down with its command.

import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LaunchStatus } from "../../contract/receipt.js";
import { paths } from "../../setup/paths.js";
import { launchStatusName } from "../../xen-model/receipt.js";
import { loadBootDomain } from "../simulate.js";
import { arbitraryLaunch, type RandomLaunch } from "./arbitrary-launch.js";
import { type RunLaunch, runRandom, writeRepetition } from "./run-random.js";

/** Random launches; `npm run test:long` asks for 100,000. */
const launches = Number(process.env.DOMB_RANDOM_LAUNCHES ?? 2_000);
/** Of the first launches; the next ones have the next seeds. */
const firstSeed = Number(process.env.DOMB_RANDOM_SEED ?? 1);
const EACH = 250;

const chunks = Array.from({ length: Math.ceil(launches / EACH) }, (_, index) => ({
  seed: firstSeed + index,
  numRuns: Math.min(EACH, launches - index * EACH),
}));

/** What all launches together have come to. */
const seen = new Map<string, number>();
let idleNs = 0;
let waitedNs = 0;

let wasm: WebAssembly.Module;

beforeAll(async () => {
  wasm = await loadBootDomain();
});

const count = (what: string): void => void seen.set(what, (seen.get(what) ?? 0) + 1);

function note({ launch, faults, flips }: RandomLaunch, { judged }: RunLaunch): void {
  idleNs += judged.idleNs;
  const { receipt } = judged.simulation ?? {};
  if (receipt === undefined) return;
  count("launches");
  count(launchStatusName(receipt.status));
  if (Object.keys(launch.domains).length > 20) count("more than 20 domains");
  if (faults.length > 0) count("with a fault");
  if (flips.length > 0) count("with a flipped bit");
  for (const part of receipt.main === undefined ? [receipt] : [receipt, receipt.main]) {
    waitedNs += part.waitTicks;
    if (part.waitTicks > 0) count("waited");
    for (const state of new Set(part.domains.map((domain) => domain.state)))
      count(`a domain ${state}`);
    for (const { status } of part.domains) {
      if (status === LaunchStatus.late || status === LaunchStatus.ended)
        count(launchStatusName(status));
    }
  }
  if (receipt.main !== undefined) count(receipt.main.domains.length > 0 ? "recovered" : "refused");
}

/** What is kept for the recovery plan suffices: where nothing else is in its way, it succeeds. */
function brokenRecovery({ faults, flips }: RandomLaunch, { judged }: RunLaunch): readonly string[] {
  const { receipt } = judged.simulation ?? {};
  const isFree = faults.length === 0 && flips.length === 0;
  if (!isFree || receipt?.main === undefined || receipt.status === LaunchStatus.success) return [];
  return [`the recovery plan has failed: ${launchStatusName(receipt.status)} ${receipt.error}`];
}

describe("random launches", () => {
  it.each(chunks)("[RFC-EXIT] keep the promises: $numRuns of seed $seed", async (chunk) => {
    let last: { random: RandomLaunch; run: RunLaunch; broken: readonly string[] } | undefined;
    const promises = fc.asyncProperty(arbitraryLaunch(), async (random) => {
      const run = await runRandom(random, { wasm });
      const broken = [...run.judged.broken, ...brokenRecovery(random, run)];
      if (broken.length === 0) note(random, run);
      else last = { random, run, broken };
      return broken.length === 0;
    });
    const result = await fc.check(promises, chunk);
    if (!result.failed) return;
    const found = `seed ${result.seed}, path ${result.counterexamplePath}`;
    if (last === undefined) expect.fail(`${found}: ${result.errorInstance}`);
    const { random, run, broken } = last;
    const folder = join(paths.build, "random", `${chunk.seed}`);
    const command = await writeRepetition(random, run, folder);
    expect.fail(`${found}: ${broken.join("; ")}\nRepeat it with: ${command}`);
  });

  afterAll(() => {
    const lines = [...seen].map(([what, times]) => `  ${times} ${what}`);
    console.log(`random launches\n${lines.join("\n")}`);
    console.log(
      `${Math.round(waitedNs / 1e9)} s waited, ${idleNs} ns of it while a step could run`,
    );
  });

  it("have met all that can become of a domain, and every way to wait in vain", () => {
    const wanted = [
      ...["created", "started", "destroyed", "failed", "skipped", "finished"].map(
        (state) => `a domain ${state}`,
      ),
      ...["late", "ended", "recovered", "refused", "waited", "more than 20 domains", "success"],
    ];
    expect(wanted.filter((what) => !seen.has(what))).toEqual([]);
    expect(idleNs).toBe(0);
  });
});
