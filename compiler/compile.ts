// SPDX-License-Identifier: Apache-2.0
// The compiler from a checked description to an image: materials, guests, plan, image. If it makes
// an image, the launch meets no error that could have been known before.

import { createHash } from "node:crypto";
import { grantLimitsFor } from "../xen-model/domain-tables.js";
import type { Architecture } from "../xen-model/machines.js";
import { type HostDemand, hostDemand, xenOptions } from "../xen-model/memory.js";
import { type Board, readBoard } from "./board/board.js";
import type { DomainDescription, LaunchDescription } from "./description/description.js";
import type { Diagnostic, Result } from "./diagnostics/diagnostic.js";
import { type GuestTarget, layOutGuest } from "./guest/guest.js";
import { type GuestKernel, guestKernel } from "./guest/kernel-pages.js";
import { DEFAULT_BOARD, platformOf } from "./guest/platforms.js";
import { wireLaunch } from "./guest/wire-launch.js";
import { type GuestWiring, unwired } from "./guest/wiring.js";
import { type AssembledImage, assembleImage } from "./image/assemble-image.js";
import { imageBytes, type PlanTarget } from "./image/encode-image.js";
import type { Verify } from "./image/image-header.js";
import { defaultXen } from "./image/xen-versions.js";
import { readKernel } from "./materials/kernel.js";
import { type MaterialFile, materialFault } from "./materials/material-file.js";
import { type ReadFile, readFiles, readPlainFile } from "./materials/read-files.js";
import { checkLimits } from "./plan/limits.js";
import { longestWait } from "./plan/longest-wait.js";
import type { PlannedGuest, PlannedLaunch, PlanSetting } from "./plan/make-plan.js";
import { movesCpus, planProcessors } from "./plan/processors.js";
import { planRules } from "./plan/rules.js";
import { planWiring } from "./plan/wiring.js";
import { type Labels, labelDomains } from "./policy/label-domains.js";

/** What was compiled; plan and materials are the main plan's. */
export interface CompiledLaunch extends PlannedLaunch {
  readonly architecture: Architecture;
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
  const board = boardOf(description, files.value);
  if (!kernels.ok || !labels.ok || !board.ok) return allFaults(board, labels, kernels);
  const architecture = architectureFor(description, files.value, kernels.value);
  if (!architecture.ok) return architecture;
  const { xen = defaultXen } = target;
  const platform = platformOf(architecture.value, board.value ?? DEFAULT_BOARD);
  const wiring = wireLaunch(description, platform);
  if (!wiring.ok) return wiring;
  const input = {
    ...{ files: files.value, kernels: kernels.value, labels: labels.value },
    wiring: wiring.value,
  };
  const guests = layOutGuests(description, input, { platform, xen });
  if (!guests.ok) return guests;

  const verify = description.verify ?? target.verify ?? "none";
  const recovery = guests.value.filter(({ domain }) => domain.recovery);
  const main = guests.value.filter(({ domain }) => !domain.recovery);
  const plans = assembleImage(
    { main, recovery },
    {
      policy: policy && policyRecord(policy.bytes),
      target: { ...target, architecture: architecture.value, verify },
    },
  );
  const diagnostics = checkPlans(plans, description);
  if (diagnostics.length > 0) return { ok: false, diagnostics };
  const { image } = plans;
  const demands = [plans.main, ...(plans.recovery ? [plans.recovery] : [])].map(({ plan }) =>
    hostDemand(plan, image.length),
  );
  const demand = demands.reduce((most, one) => (one.totalBytes > most.totalBytes ? one : most));
  const { hostMemoryBytes: told = Infinity } = description;
  const { memoryBytes: onBoard = Infinity } = board.value ?? {};
  if (demand.totalBytes > Math.min(told, onBoard)) {
    return told < onBoard
      ? hostTooSmall(description, told, demand)
      : boardTooSmall(description, files.value, onBoard, demand);
  }
  const value = {
    ...{ image, architecture: architecture.value, ...plans.main, verify },
    ...(plans.recovery === undefined ? {} : { recovery: plans.recovery }),
    demand,
    xenCommandLine: xenOptions(image.length, {
      hasPolicy: policy !== undefined,
      waitMs: longestWait(plans.main.plan),
      grantLimits: grantLimitsFor(plans.main.plan.domains),
      movesCpus: movesCpus(plans.main.plan),
    }).join(" "),
    ...(policy === undefined ? {} : { policy: policy.bytes }),
  };
  return { ok: true, value, diagnostics: [] };
}

/** What the board's device tree says; undefined: the description names none. */
function boardOf(
  { board }: LaunchDescription,
  files: ReadonlyMap<string, MaterialFile>,
): Result<Board | undefined> {
  return board === undefined
    ? { ok: true, value: undefined, diagnostics: [] }
    : readBoard(fileOf(files, board));
}

/** The launch's architecture, which all kernels have; one with a board is arm64. */
function architectureFor(
  description: LaunchDescription,
  files: ReadonlyMap<string, MaterialFile>,
  kernels: ReadonlyMap<string, GuestKernel>,
): Result<Architecture> {
  const paths = description.domains.map(({ kernel }) => kernel);
  const of = (path: string): Architecture | undefined => kernels.get(path)?.kernel.architecture;
  const first = paths[0] === undefined ? undefined : of(paths[0]);
  const wanted = description.arch ?? (description.board ? "arm64" : first);
  const others = [...new Set(paths)].filter((path) => of(path) !== wanted);
  const diagnostics = others.flatMap(
    (path) =>
      materialFault(
        fileOf(files, path),
        "DOMB3012",
        `the kernel is for ${of(path)}, wanted one for ${wanted}, as ` +
          (description.arch ? "arch says" : description.board ? "the board has" : "the first one"),
        "Give a kernel for the host's architecture.",
      ).diagnostics,
  );
  return wanted !== undefined && diagnostics.length === 0
    ? { ok: true, value: wanted, diagnostics }
    : { ok: false, diagnostics };
}

const mebibytes = (bytes: number): string => `${Math.ceil(bytes / 0x100000)} MiB`;

function boardTooSmall(
  description: LaunchDescription,
  files: ReadonlyMap<string, MaterialFile>,
  memoryBytes: number,
  { totalBytes }: HostDemand,
): Result<never> {
  return materialFault(
    fileOf(files, description.board ?? ""),
    "DOMB3014",
    `the board has ${mebibytes(memoryBytes)} of memory, and the launch takes ${mebibytes(totalBytes)}`,
    "Give the domains less memory, or the launch a larger board.",
  );
}

function hostTooSmall(
  description: LaunchDescription,
  memoryBytes: number,
  { totalBytes }: HostDemand,
): Result<never> {
  const diagnostic = planRules.diagnose("DOMB4104", {
    place: description.placeOf(["host", "memory"]),
    message: `the host has ${mebibytes(memoryBytes)} of memory, and the launch takes ${mebibytes(totalBytes)}`,
    fix: "Give the domains less memory, or the launch a larger host.",
  });
  return { ok: false, diagnostics: [diagnostic] };
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

/** What earlier stages made of the description's files, each by path. */
interface GuestInput {
  readonly files: ReadonlyMap<string, MaterialFile>;
  readonly kernels: ReadonlyMap<string, GuestKernel>;
  readonly labels: Labels;
  readonly wiring: ReadonlyMap<string, GuestWiring>;
}

function layOutGuests(
  description: LaunchDescription,
  { files, kernels, labels, wiring }: GuestInput,
  target: GuestTarget,
): Result<readonly PlannedGuest[]> {
  const guests: PlannedGuest[] = [];
  const diagnostics: Diagnostic[] = [];
  const processors = planProcessors(description);
  for (const domain of description.domains) {
    const wired = wiring.get(domain.name) ?? unwired;
    const plan = description.domains.filter(({ recovery }) => recovery === domain.recovery);
    const placeOf = (key: string) => description.placeOf(["domains", domain.name, key]);
    const guest = layOutGuest(
      domain,
      kernelOf(kernels, domain),
      domain.ramdisk === undefined ? undefined : fileOf(files, domain.ramdisk).bytes,
      target,
      wired.told,
      { memory: placeOf("memory"), vcpus: placeOf("vcpus"), cmdline: placeOf("cmdline") },
    );
    diagnostics.push(...guest.diagnostics);
    const label = labels.get(domain.name) ?? "";
    if (!guest.ok) continue;
    const links = planWiring(
      wired,
      plan.map(({ domid }) => domid),
    );
    const placed = processors.get(domain.name);
    guests.push({ domain, label, guest: guest.value, wiring: links, processors: placed });
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
