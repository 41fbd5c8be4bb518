// SPDX-License-Identifier: Apache-2.0
// examples/recovery on real Xen: the recovery domain runs when the main plan is refused or its
// worker fails, and only then; and says from the launch's receipt what went wrong.

import { beforeAll, describe, expect, it } from "vitest";
import type { CompiledLaunch } from "../compiler/compile.js";
import { ImageHeader, RECOVERY_HEADER } from "../contract/image.js";
import { LaunchStatus } from "../contract/receipt.js";
import { signedImage, testKey } from "../simulator/suite/test-keys.js";
import {
  type Booted,
  booted,
  changedExample,
  compiledExample,
  everyArchitecture,
} from "./lab-bench.js";

const owner = testKey(1);
const trust = { keys: [owner.key], leastLaunchVersion: 1 };

const mainSignature = ImageHeader.size;
const recoverySignature = RECOVERY_HEADER + ImageHeader.size;

/** The words of the example's worker by which it is ready. */
const workerWords = "sleep=20 signal up";

describe.each(everyArchitecture)("examples/recovery on %s", (_, architecture) => {
  let launch: CompiledLaunch;

  beforeAll(async () => {
    launch = await compiledExample("recovery", architecture);
  });

  async function bootedWith(
    { image, xenCommandLine }: CompiledLaunch,
    ...damaged: readonly number[]
  ): Promise<Booted> {
    const signed = await signedImage(image, owner);
    for (const at of damaged) signed[at] = (signed[at] ?? 0) ^ 1;
    return booted(signed, xenCommandLine, { trust });
  }

  /** A launch whose worker does other things. */
  function doingInstead(words: string): Promise<CompiledLaunch> {
    return changedExample("recovery", architecture, [workerWords, words]);
  }

  /** Where the worker's kernel begins in the image. */
  function kernelOffset(): number {
    const kernel = launch.plan.materials.find(({ kind }) => kind === "kernel");
    return kernel?.offset ?? 0;
  }

  it("[RFC-VERIFIED] runs its main plan, and no recovery, as it was signed", async () => {
    const { outcome, outputs, xenLog } = await bootedWith(launch);
    expect(outcome).toMatchObject({
      status: "success",
      verification: { verifiedBy: 1, launchVersion: 1, recoveredFrom: 0 },
      domains: [{ name: "worker", state: "started" }],
    });
    expect(outputs.worker).toContain("domb: domain is up");
    expect(xenLog).not.toContain("receipt: ");
  });

  it("[RFC-VERIFIED] runs its recovery plan alone when the main one was changed", async () => {
    const { outcome, outputs, xenLog } = await bootedWith(launch, mainSignature);
    expect(outcome).toMatchObject({
      status: "recovered",
      bootDomain: { exited: true, status: LaunchStatus.success },
      verification: { verifiedBy: 1, recoveredFrom: LaunchStatus.signature },
      domains: [{ name: "rescue" }],
    });
    expect(outputs.rescue).toMatch(
      /receipt: main plan, version 1, ended with status 13: no trusted/,
    );
    expect(outputs.rescue).toContain("receipt: exit code 0");
    expect(xenLog).not.toContain("(d1) ");
  });

  it.each([
    {
      what: "crashes before it is ready",
      start: () => doingInstead("sleep=20 crash").then((crashing) => bootedWith(crashing)),
      status: LaunchStatus.ended,
      words: [
        "main plan, version 1, ended with status 15: a domain ended before it was ready",
        "  it failed by domain worker",
        "  worker (domain 1): destroyed because the launch failed",
        "    failed: a domain ended before it was ready",
        "    it crashed",
      ],
    },
    {
      what: "is not ready in time",
      start: () => doingInstead("up").then((silent) => bootedWith(silent)),
      status: LaunchStatus.late,
      words: [
        "main plan, version 1, ended with status 16: a domain was not ready in time",
        "  it failed by domain worker",
        "  worker (domain 1): destroyed because the launch failed",
        "    failed: a domain was not ready in time",
      ],
    },
    {
      what: "was changed in one byte",
      start: () => bootedWith(launch, kernelOffset()),
      status: LaunchStatus.materialDigest,
      words: [
        "main plan, version 1, ended with status 8: a material's digest is not the one in the plan",
        "  it failed by domain worker, in step 1, operation 1",
        "  worker (domain 1): not created",
        "    failed: a material's digest is not the one in the plan, operation 1",
      ],
    },
  ])("runs its recovery domain, which says why, when the worker $what", async (failing) => {
    const { outcome, outputs } = await failing.start();
    expect(outcome).toMatchObject({
      status: "recovered",
      bootDomain: { exited: true, status: LaunchStatus.success },
      verification: { verifiedBy: 1, recoveredFrom: failing.status },
      domains: [{ name: "rescue", state: "started" }],
    });
    const told = [...(outputs.rescue ?? "").matchAll(/receipt: (.*)$/gm)].map(([, line]) => line);
    for (const words of failing.words) expect(told).toContain(words);
    expect(told).toContain("  rescue (domain 2): started");
    expect(told.at(-1)).toBe("exit code 0");
  });

  it("[RFC-VERIFIED] runs nothing when both were changed", async () => {
    const { outcome, xenLog } = await bootedWith(launch, mainSignature, recoverySignature);
    expect(outcome).toMatchObject({
      status: "failed",
      bootDomain: { exited: true, status: LaunchStatus.signature },
    });
    expect(xenLog).not.toMatch(/\(d[12]\) /);
  });
});
