// SPDX-License-Identifier: Apache-2.0
// Puts an image together: header, plan, materials where the plan says. The same parts give the
// same bytes.

import { createHash } from "node:crypto";
import { IMAGE_MAGIC, IMAGE_VERSION, ImageHeader, MACHINE_X86_64 } from "../../contract/image.js";
import { encodePlan } from "../plan/encode.js";
import { imageBytesOf } from "../plan/materials.js";
import type { Plan } from "../plan/plan.js";
import { encodeRecord } from "../plan/record.js";
import { imageHeaderLayout } from "./image-header.js";
import { defaultXen, type XenVersion, xenInterfaces } from "./xen-versions.js";

/** Size in bytes of the image that holds this plan and its materials. */
export function imageBytes(plan: Plan): number {
  return imageBytesOf(plan.materials, ImageHeader.size + encodePlan(plan).length);
}

/** The image of a plan with its materials' bytes, in the plan's order, for a version of Xen. */
export function encodeImage(
  plan: Plan,
  materials: readonly Uint8Array[],
  xen: XenVersion = defaultXen,
): Uint8Array {
  const encodedPlan = encodePlan(plan);
  const image = new Uint8Array(imageBytes(plan));
  const header = encodeRecord(imageHeaderLayout, {
    magic: IMAGE_MAGIC,
    version: IMAGE_VERSION,
    machine: MACHINE_X86_64,
    xenInterface: xenInterfaces[xen],
    imageBytes: image.length,
    planOffset: ImageHeader.size,
    planBytes: encodedPlan.length,
    planDigest: createHash("sha256").update(encodedPlan).digest("hex"),
  });
  image.set(header, 0);
  image.set(encodedPlan, ImageHeader.size);
  for (const [index, { offset }] of plan.materials.entries()) {
    const bytes = materials[index];
    if (bytes !== undefined) image.set(bytes, offset);
  }
  return image;
}
