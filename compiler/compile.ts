// SPDX-License-Identifier: Apache-2.0
// The compiler from a checked description to an image: materials, guests, plan, image. If it makes
// an image, the launch meets no error that could have been known before.

import { type HostDemand, hostDemand, xenOptions } from "../xen-model/memory.js";
import type { DomainDescription, LaunchDescription } from "./description/description.js";
import type { Diagnostic, Result } from "./diagnostics/diagnostic.js";
import { layOutGuest } from "./guest/guest.js";
import { type GuestKernel, guestKernel } from "./guest/kernel-pages.js";
import { encodeImage, imageBytes } from "./image/encode-image.js";
import { defaultXen, type XenVersion } from "./image/xen-versions.js";
import { readKernel } from "./materials/kernel.js";
import type { MaterialFile } from "./materials/material-file.js";
import { type ReadFile, readFiles, readPlainFile } from "./materials/read-files.js";
import { checkLimits } from "./plan/limits.js";
import { makePlan, type PlannedGuest } from "./plan/make-plan.js";
import type { Material } from "./plan/materials.js";
import type { Plan } from "./plan/plan.js";
import { type Labels, labelDomains } from "./policy/label-domains.js";

export interface CompiledLaunch {
  readonly image: Uint8Array;
  readonly plan: Plan;
  /** In the plan's order. */
  readonly materials: readonly Material[];
  /** What the launch takes of the host's memory. */
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

/** Compiles a launch for a version of Xen; all errors of a stage are reported together. */
export async function compileLaunch(
  description: LaunchDescription,
  { readFile }: CompilerEdge = fileSystem,
  xen: XenVersion = defaultXen,
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

  const { plan, materials } = makePlan(guests.value, policy?.bytes);
  const diagnostics = checkLimits(
    plan,
    imageBytes(plan),
    description.placeOf(["domains"]),
    (domain) => description.placeOf(["domains", domain, "memory"]),
  );
  if (diagnostics.length > 0) return { ok: false, diagnostics };
  const image = encodeImage(
    plan,
    materials.map(({ bytes }) => bytes),
    xen,
  );
  const value = {
    image,
    plan,
    materials,
    demand: hostDemand(plan, image.length),
    xenCommandLine: xenOptions(image.length, policy !== undefined).join(" "),
    ...(policy === undefined ? {} : { policy: policy.bytes }),
  };
  return { ok: true, value, diagnostics: [] };
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
