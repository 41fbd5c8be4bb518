// SPDX-License-Identifier: Apache-2.0
// The launches that the suite's cases are variations of: domains of 2 MiB with a kernel of our own,
// given page by page, so that memory can run out at each page.

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { encodeImage } from "../../compiler/image/encode-image.js";
import type { PlannedLaunch } from "../../compiler/plan/make-plan.js";
import type { Plan, PlanDomain, PlanOperation } from "../../compiler/plan/plan.js";
import { ImageHeader } from "../../contract/image.js";
import { compiled } from "../../lab/lab-bench.js";
import { paths } from "../../setup/paths.js";
import type { Architecture } from "../../xen-model/machines.js";
import { type LaunchParts, onArm64 } from "./arm64-launch.js";

export interface BaseLaunch extends LaunchParts {
  readonly architecture: Architecture;
  readonly image: Uint8Array;
  /** The recovery plan as the image begins with it. */
  readonly recovery?: Uint8Array | undefined;
}

export const hello = { kernel: "build/guests/hello.elf", memory: "2 MiB" } as const;

/** The launch of these domains, whose names count up; `policy`: its file. */
async function launchOf(
  architecture: Architecture,
  names: readonly string[],
  policy?: string,
): Promise<BaseLaunch> {
  const domains = Object.fromEntries(names.map((name) => [name, hello]));
  const under = policy === undefined ? {} : { policy: { xsm: policy } };
  const launch = pageByPage(await compiled({ domb: 1, ...under, domains }));
  if (architecture === "arm64") return onArm64(launch);
  return { ...launch, architecture, image: encodeImage(launch.plan, launch.materials) };
}

/** A planned launch that gives memory page by page, and drops no privilege. */
export function pageByPage({ plan, materials }: PlannedLaunch): LaunchParts {
  const operations = plan.operations.map((operation) =>
    operation.kind === "populate"
      ? { ...operation, count: operation.count << operation.order, order: 0 }
      : operation,
  );
  // Many launches run on one Xen, on which a privilege that is dropped never comes back.
  return {
    plan: { ...plan, operations, dropped: 0 },
    materials: materials.map((material) => material.bytes),
  };
}

/** One domain, or two. */
export async function baseLaunches(
  architecture: Architecture = "x86_64",
): Promise<{ one: BaseLaunch; two: BaseLaunch }> {
  return {
    one: await launchOf(architecture, ["alone"]),
    two: await launchOf(architecture, ["first", "second"]),
  };
}

/** Two domains with labels, under domb's FLASK policy, which the set-up builds. */
export async function labelledLaunch(
  architecture: Architecture = "x86_64",
): Promise<BaseLaunch & { readonly policy: Uint8Array }> {
  const launch = await launchOf(architecture, ["first", "second"], paths.xenPolicy());
  return { ...launch, policy: new Uint8Array(await readFile(paths.xenPolicy())) };
}

/** The image of a changed plan, its digest right; the materials are the same. */
export function withPlan(
  { architecture, plan, materials, recovery }: BaseLaunch,
  changes: Partial<Plan>,
): Uint8Array {
  return encodeImage({ ...plan, ...changes }, materials, { architecture, recovery });
}

/** The image with one domain's record changed. */
export function withDomain(
  base: BaseLaunch,
  index: number,
  changes: Partial<PlanDomain>,
): Uint8Array {
  const domains = base.plan.domains.map((domain, at) =>
    at === index ? { ...domain, ...changes } : domain,
  );
  return withPlan(base, { domains });
}

/** The image with operations put in place of `removed` ones from `at`, as the steps then count. */
export function withOperations(
  base: BaseLaunch,
  at: number,
  removed: number,
  ...added: readonly PlanOperation[]
): Uint8Array {
  const operations = [...base.plan.operations];
  operations.splice(at, removed, ...added);
  const growth = added.length - removed;
  const steps = base.plan.steps.map((step) => {
    const holds =
      at >= step.firstOperation && at < step.firstOperation + Math.max(step.operationCount, 1);
    return {
      ...step,
      firstOperation: step.firstOperation + (step.firstOperation > at ? growth : 0),
      operationCount: step.operationCount + (holds ? growth : 0),
    };
  });
  return withPlan(base, { operations, steps });
}

/** The image with words of its plan replaced, and the plan's digest made right again. */
export function withPlanWords(
  image: Uint8Array,
  changes: readonly (readonly [word: number, value: number])[],
): Uint8Array {
  const changed = image.slice();
  const view = new DataView(changed.buffer);
  const offset = view.getUint32(ImageHeader.planOffset, true);
  const bytes = view.getUint32(ImageHeader.planBytes, true);
  for (const [word, value] of changes) view.setUint32(offset + word * 4, value >>> 0, true);
  const plan = changed.subarray(offset, offset + bytes);
  changed.set(createHash("sha256").update(plan).digest(), ImageHeader.planDigest);
  return changed;
}

/** The image with one material's bytes replaced by as many others, and both digests right. */
export function withMaterial(base: BaseLaunch, index: number, bytes: Uint8Array): Uint8Array {
  const digest = createHash("sha256").update(bytes).digest("hex");
  const plan = {
    ...base.plan,
    materials: base.plan.materials.map((material, at) =>
      at === index ? { ...material, bytes: bytes.length, digest } : material,
    ),
  };
  return encodeImage(
    plan,
    base.materials.map((material, at) => (at === index ? bytes : material)),
    { architecture: base.architecture },
  );
}
