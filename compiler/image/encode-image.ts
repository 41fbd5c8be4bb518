// SPDX-License-Identifier: Apache-2.0
// Puts an image together: headers with room for signatures, the recovery plan if there is one, the
// main plan, each with its materials where it says. The same parts give the same bytes.

import { createHash } from "node:crypto";
import {
  HEADERS_END,
  IMAGE_MAGIC,
  IMAGE_VERSION,
  MAIN_HEADER,
  RECOVERY_HEADER,
} from "../../contract/image.js";
import { type Architecture, machines } from "../../xen-model/machines.js";
import { encodePlan } from "../plan/encode.js";
import { imageBytesOf } from "../plan/materials.js";
import type { Plan } from "../plan/plan.js";
import { encodeRecord } from "../plan/record.js";
import { imageHeaderLayout, type Verify } from "./image-header.js";
import { defaultXen, type XenVersion, xenInterfaces } from "./xen-versions.js";

/** What a plan's header says beside the plan. */
export interface PlanTarget {
  /** Default: x86_64. */
  readonly architecture?: Architecture | undefined;
  readonly xen?: XenVersion | undefined;
  /** Counted up by the launch's owner, from 0; default: 1. */
  readonly launchVersion?: number | undefined;
  /** Whether the plan may run without a signature; default: it may. */
  readonly verify?: Verify | undefined;
}

/** Size in bytes of an image whose last plan, with its materials, begins at `start`. */
export function imageBytes(plan: Plan, start = HEADERS_END): number {
  return imageBytesOf(plan.materials, start + encodePlan(plan).length);
}

/**
 * The image of a plan with its materials' bytes, in the plan's order, behind `recovery`: what
 * encodeRecovery() gave. Not signed.
 */
export function encodeImage(
  plan: Plan,
  materials: readonly Uint8Array[],
  { recovery, ...target }: PlanTarget & { readonly recovery?: Uint8Array | undefined } = {},
): Uint8Array {
  const before = recovery ?? new Uint8Array(HEADERS_END);
  return withPlan(before, MAIN_HEADER, plan, materials, target);
}

/** The first part of an image: the recovery plan, its materials, and no main plan yet. */
export function encodeRecovery(
  plan: Plan,
  materials: readonly Uint8Array[],
  target: PlanTarget = {},
): Uint8Array {
  return withPlan(new Uint8Array(HEADERS_END), RECOVERY_HEADER, plan, materials, target);
}

function withPlan(
  before: Uint8Array,
  headerOffset: number,
  plan: Plan,
  materials: readonly Uint8Array[],
  { architecture = "x86_64", xen = defaultXen, launchVersion = 1, verify = "none" }: PlanTarget,
): Uint8Array {
  const encodedPlan = encodePlan(plan);
  const planOffset = before.length;
  const image = new Uint8Array(imageBytes(plan, planOffset));
  image.set(before);
  const header = encodeRecord(imageHeaderLayout, {
    magic: IMAGE_MAGIC,
    version: IMAGE_VERSION,
    machine: machines[architecture],
    xenInterface: xenInterfaces[xen],
    launchVersion,
    verify,
    imageBytes: image.length,
    planOffset,
    planBytes: encodedPlan.length,
    planDigest: createHash("sha256").update(encodedPlan).digest("hex"),
  });
  image.set(header, headerOffset);
  image.set(encodedPlan, planOffset);
  for (const [index, { offset }] of plan.materials.entries()) {
    const bytes = materials[index];
    if (bytes !== undefined) image.set(bytes, offset);
  }
  return image;
}
