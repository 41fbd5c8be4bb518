// SPDX-License-Identifier: Apache-2.0
// The compiler from a checked description to an image: materials, guests, plan, image. If it makes
// an image, the launch meets no error that could have been known before.

import { createHash } from "node:crypto";
import { type HostDemand, hostDemand, xenOptions } from "../xen-model/memory.js";
import type { DomainDescription, LaunchDescription } from "./description/description.js";
import type { Diagnostic, Result } from "./diagnostics/diagnostic.js";
import { layOutGuest } from "./guest/guest.js";
import { type GuestKernel, guestKernel } from "./guest/kernel-pages.js";
import { type AssembledImage, assembleImage } from "./image/assemble-image.js";
import { imageBytes, type PlanTarget } from "./image/encode-image.js";
import type { Verify } from "./image/image-header.js";
import { readKernel } from "./materials/kernel.js";
import type { MaterialFile } from "./materials/material-file.js";
import { type ReadFile, readFiles, readPlainFile } from "./materials/read-files.js";
import { checkLimits } from "./plan/limits.js";
import type { PlannedGuest, PlannedLaunch, PlanSetting } from "./plan/make-plan.js";
import { type Labels, labelDomains } from "./policy/label-domains.js";

/** What was compiled; plan and materials are the main plan's. */
export interface CompiledLaunch extends PlannedLaunch {
  /** Not signed. */
  readonly image: Uint8Array;
  /** What runs when the main plan is refused. */
  readonly recovery?: PlannedLaunch;
  /** Must the image be signed before a boot domain runs it. */
  readonly verify: Verify;
  /** What the launch takes of the host's memory, whichever of its plans runs. */
  readonly demand: HostDemand;
  /** What Xen's command line must have for this image. */
  readonly xenCommandLine: string;
  /** The FLASK policy that Xen needs beside the image, as a boot module of its own. */
  readonly policy?: Uint8Array;
}

/** What the compiler asks of the world outside. */
export interface CompilerEdge {
  readonly readFile: ReadFile;
}

/** Reads files from the file system. */
export const fileSystem: CompilerEdge = { readFile: readPlainFile };

/**
 * Compiles a launch; all errors of a stage are reported together. The description's word on
 * verification goes before the target's.
 */
export async function compileLaunch(
  description: LaunchDescription,
  { readFile }: CompilerEdge = fileSystem,
  target: PlanTarget = {},
): Promise<Result<CompiledLaunch>> {
  const files = await readFiles(description, readFile);
  if (!files.ok) return files;
  const policy =
    description.policy === undefined ? undefined : fileOf(files.value, description.policy);
  const labels = labelDomains(description, policy);
  const kernels = await readKernels(description, files.value);
  if (!kernels.ok || !labels.ok) return allFaults(labels, kernels);
  const guests = layOutGuests(description, files.value, kernels.value, labels.value);
  if (!guests.ok) return guests;

  const verify = description.verify ?? target.verify ?? "none";
  const recovery = guests.value.filter(({ domain }) => domain.recovery);
  const main = guests.value.filter(({ domain }) => !domain.recovery);
  const plans = assembleImage(
    { main, recovery },
    { policy: policy && policyRecord(policy.bytes), target: { ...target, verify } },
  );
  const diagnostics = checkPlans(plans, description);
  if (diagnostics.length > 0) return { ok: false, diagnostics };
  const { image } = plans;
  const demands = [plans.main, ...(plans.recovery ? [plans.recovery] : [])].map(({ plan }) =>
    hostDemand(plan, image.length),
  );
  const value = {
    ...{ image, ...plans.main, verify },
    ...(plans.recovery === undefined ? {} : { recovery: plans.recovery }),
    demand: demands.reduce((most, other) => (other.totalBytes > most.totalBytes ? other : most)),
    xenCommandLine: xenOptions(image.length, policy !== undefined).join(" "),
    ...(policy === undefined ? {} : { policy: policy.bytes }),
  };
  return { ok: true, value, diagnostics: [] };
}

function policyRecord(bytes: Uint8Array): PlanSetting["policy"] {
  const policyDigest = createHash("sha256").update(bytes).digest("hex");
  return { policyBytes: bytes.length, policyDigest };
}

function checkPlans(
  { main, recovery, mainStart }: AssembledImage,
  description: LaunchDescription,
): readonly Diagnostic[] {
  const check = ({ plan }: PlannedLaunch, end: number) =>
    checkLimits(plan, end, description.placeOf(["domains"]), (domain) =>
      description.placeOf(["domains", domain, "memory"]),
    );
  const faults = check(main, imageBytes(main.plan, mainStart));
  return recovery === undefined ? faults : [...check(recovery, mainStart), ...faults];
}

/** The faults of stages that do not build on each other. */
function allFaults(...stages: readonly Result<unknown>[]): Extract<Result<never>, { ok: false }> {
  return { ok: false, diagnostics: stages.flatMap(({ diagnostics }) => diagnostics) };
}

/** Each kernel of the description once, by path. */
async function readKernels(
  description: LaunchDescription,
  files: ReadonlyMap<string, MaterialFile>,
): Promise<Result<ReadonlyMap<string, GuestKernel>>> {
  const kernels = new Map<string, GuestKernel>();
  const diagnostics: Diagnostic[] = [];
  for (const path of new Set(description.domains.map(({ kernel }) => kernel))) {
    const kernel = await readKernel(fileOf(files, path));
    diagnostics.push(...kernel.diagnostics);
    if (kernel.ok) kernels.set(path, guestKernel(kernel.value));
  }
  return diagnostics.length === 0
    ? { ok: true, value: kernels, diagnostics }
    : { ok: false, diagnostics };
}

function layOutGuests(
  description: LaunchDescription,
  files: ReadonlyMap<string, MaterialFile>,
  kernels: ReadonlyMap<string, GuestKernel>,
  labels: Labels,
): Result<readonly PlannedGuest[]> {
  const guests: PlannedGuest[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const domain of description.domains) {
    const guest = layOutGuest(
      domain,
      kernelOf(kernels, domain),
      domain.ramdisk === undefined ? undefined : fileOf(files, domain.ramdisk).bytes,
      description.placeOf(["domains", domain.name, "memory"]),
    );
    diagnostics.push(...guest.diagnostics);
    const label = labels.get(domain.name) ?? "";
    if (guest.ok) guests.push({ domain, label, guest: guest.value });
  }
  return diagnostics.length === 0
    ? { ok: true, value: guests, diagnostics }
    : { ok: false, diagnostics };
}

function fileOf(files: ReadonlyMap<string, MaterialFile>, path: string): MaterialFile {
  const file = files.get(path);
  if (file === undefined) throw new Error(`bug: ${path} was not read`);
  return file;
}

function kernelOf(
  kernels: ReadonlyMap<string, GuestKernel>,
  { kernel }: DomainDescription,
): GuestKernel {
  const read = kernels.get(kernel);
  if (read === undefined) throw new Error(`bug: ${kernel} was not unpacked`);
  return read;
}
