// SPDX-License-Identifier: Apache-2.0
// Replaces kernel, ramdisk or command line of one domain in an image. The other domains' materials
// stay bit for bit, and a plan that is not touched keeps its signature.

import { RECOVERY_HEADER } from "../../contract/image.js";
import { PAGE_SIZE } from "../../contract/limits.js";
import type { Architecture } from "../../xen-model/machines.js";
import type { Diagnostic, Place, Result } from "../diagnostics/diagnostic.js";
import { layOutGuest } from "../guest/guest.js";
import { type GuestKernel, type GuestPage, guestKernel } from "../guest/kernel-pages.js";
import { platformOfGuest } from "../guest/platforms.js";
import { type AssembledImage, assembleImage } from "../image/assemble-image.js";
import type { DecodedImage, DecodedPlan } from "../image/decode-image.js";
import type { PlanTarget } from "../image/encode-image.js";
import { defaultXen, xenOf } from "../image/xen-versions.js";
import type { Kernel } from "../materials/elf.js";
import { readKernel } from "../materials/kernel.js";
import { type MaterialFile, materialFault } from "../materials/material-file.js";
import { checkLimits } from "../plan/limits.js";
import type { PlannedGuest } from "../plan/make-plan.js";
import type { PlanName } from "../signature/sign-image.js";
import { type ReadGuest, readGuests } from "./read-guests.js";
import { updateRules } from "./rules.js";

/** What is to be another; undefined: it stays. */
export interface DomainChange {
  readonly domain: string;
  readonly kernel?: MaterialFile | undefined;
  readonly ramdisk?: MaterialFile | undefined;
  readonly cmdline?: string | undefined;
}

export interface UpdatedImage {
  readonly image: Uint8Array;
  /** Plans that are others now, and whose signatures are gone. */
  readonly changed: readonly PlanName[];
  readonly launchVersion: number;
}

/**
 * The image with one domain changed; `launchVersion`: that of the changed plans, by default one more
 * than the image's. `place` is the image's.
 */
export async function updateImage(
  image: Uint8Array,
  decoded: DecodedImage,
  change: DomainChange,
  {
    place,
    launchVersion = decoded.header.launchVersion + 1,
  }: { place: Place; launchVersion?: number | undefined },
): Promise<Result<UpdatedImage>> {
  const { recovery } = decoded;
  const mainGuests = readGuests(decoded, false);
  const recoveryGuests = recovery === undefined ? [] : readGuests(recovery, true);
  if (mainGuests === undefined || recoveryGuests === undefined) return notOurs(place);
  const again = assemble(decoded, mainGuests, recoveryGuests, {});
  if (!sameBytes(again.image, withoutSignatures(image, decoded))) return notOurs(place);

  const all = [...mainGuests, ...recoveryGuests];
  const old = all.find(({ domain }) => domain.name === change.domain);
  if (old === undefined) {
    const names = all.map(({ domain }) => domain.name).join(", ");
    const message = `the image has no domain ${change.domain}, wanted one of: ${names}`;
    const fix = "Name a domain of the image.";
    return failed([updateRules.diagnose("DOMB5202", { place, message, fix })]);
  }
  const changed = await changeGuest(decoded, old, change, place);
  if (!changed.ok) return changed;
  const put = (guests: readonly ReadGuest[]): readonly PlannedGuest[] =>
    guests.map((guest) => (guest === old ? changed.value : guest));
  const inRecovery = recoveryGuests.includes(old);
  const kept = inRecovery ? undefined : recoveryPart(image, decoded);
  const updated = assemble(decoded, put(mainGuests), put(recoveryGuests), { launchVersion, kept });
  const diagnostics = [
    ...checkLimits(updated.main.plan, updated.image.length, place, () => place),
    // The image's size is told once.
    ...(updated.recovery ? checkLimits(updated.recovery.plan, 0, place, () => place) : []),
  ];
  if (diagnostics.length > 0) return failed(diagnostics);
  const plans: readonly PlanName[] = inRecovery ? ["main", "recovery"] : ["main"];
  return {
    ok: true,
    value: { image: updated.image, changed: plans, launchVersion },
    diagnostics: [],
  };
}

function failed(diagnostics: readonly Diagnostic[]): Result<never> {
  return { ok: false, diagnostics };
}

function notOurs(place: Place): Result<never> {
  const message = "the image, taken apart and put together again, is another one";
  const fix = "Build it from its description with this version of domb.";
  return failed([updateRules.diagnose("DOMB5201", { place, message, fix })]);
}

/** Plans and encodes the guests as `decoded` was; `kept`: the recovery part as it is to stay. */
function assemble(
  decoded: DecodedImage,
  main: readonly PlannedGuest[],
  recovery: readonly PlannedGuest[],
  { launchVersion, kept }: { launchVersion?: number | undefined; kept?: Uint8Array | undefined },
): AssembledImage {
  const targetOf = ({ architecture, header }: DecodedPlan): PlanTarget => ({
    architecture,
    xen: xenOf(header.xenInterface),
    launchVersion: launchVersion ?? header.launchVersion,
    verify: header.verify,
  });
  const { policyBytes, policyDigest } = decoded.plan;
  return assembleImage(
    { main, recovery },
    {
      policy: { policyBytes, policyDigest },
      target: targetOf(decoded),
      recoveryTarget: decoded.recovery && targetOf(decoded.recovery),
      kept,
    },
  );
}

/** The recovery plan with its header, signature and materials, and nothing of the main plan. */
function recoveryPart(
  image: Uint8Array,
  { header, recovery }: DecodedImage,
): Uint8Array | undefined {
  if (recovery === undefined) return undefined;
  return image.slice(0, header.planOffset).fill(0, 0, RECOVERY_HEADER);
}

function withoutSignatures(image: Uint8Array, decoded: DecodedImage): Uint8Array {
  const bare = image.slice();
  for (const plan of [decoded, decoded.recovery]) {
    if (plan?.signature === undefined) continue;
    const start = plan.signature.byteOffset - image.byteOffset;
    bare.fill(0, start, start + plan.signature.length);
  }
  return bare;
}

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}

async function changeGuest(
  { architecture, header }: DecodedImage,
  old: ReadGuest,
  { kernel: kernelFile, ramdisk: ramdiskFile, cmdline = old.domain.cmdline }: DomainChange,
  place: Place,
): Promise<Result<PlannedGuest>> {
  const kernel = await kernelOf(architecture, old, kernelFile);
  if (!kernel.ok) return kernel;
  const domain = {
    ...old.domain,
    cmdline,
    ...(kernelFile === undefined ? {} : { kernel: kernelFile.path }),
    ...(ramdiskFile === undefined ? {} : { ramdisk: ramdiskFile.path }),
  };
  const ramdisk = ramdiskFile?.bytes ?? old.guest.ramdisk?.bytes;
  const target = {
    platform: platformOfGuest(architecture, old.guest.devices, old.guest.startOfDay.bytes),
    xen: xenOf(header.xenInterface) ?? defaultXen,
  };
  const places = { memory: place, vcpus: place, cmdline: place };
  const guest = layOutGuest(domain, kernel.value, ramdisk, target, old.told, places);
  if (!guest.ok) return guest;
  return { ok: true, value: { ...old, domain, guest: guest.value }, diagnostics: [] };
}

async function kernelOf(
  architecture: Architecture,
  { entry, guest }: ReadGuest,
  file: MaterialFile | undefined,
): Promise<Result<GuestKernel>> {
  if (file === undefined) {
    const kernel = { architecture, entry, segments: segmentsOf(guest.kernel) };
    return { ok: true, value: { kernel, pages: guest.kernel }, diagnostics: [] };
  }
  const kernel = await readKernel(file);
  if (kernel.ok && kernel.value.architecture !== architecture) {
    return materialFault(
      file,
      "DOMB3012",
      `the kernel is for ${kernel.value.architecture}, wanted one for ${architecture}, as the image is`,
      "Give a kernel for the host's architecture.",
    );
  }
  return kernel.ok ? { ...kernel, value: guestKernel(kernel.value) } : kernel;
}

/** Where a kernel of these pages lies; its bytes are in the pages. */
function segmentsOf(pages: readonly GuestPage[]): Kernel["segments"] {
  return pages.map(({ frame }) => ({
    address: frame * PAGE_SIZE,
    bytes: new Uint8Array(),
    memoryBytes: PAGE_SIZE,
  }));
}
