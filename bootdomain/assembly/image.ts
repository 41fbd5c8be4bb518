// SPDX-License-Identifier: Apache-2.0
// Accepts an image: its header, then the plan's digest. Any bytes end in a status; of the plan
// nothing but the digest has been looked at here.

import {
  IMAGE_MAGIC,
  IMAGE_VERSION,
  ImageHeader,
  MACHINE_X86_64,
  PlanHeader,
} from "../../contract/image";
import { MAX_IMAGE_BYTES } from "../../contract/limits";
import { LaunchStatus } from "../../contract/receipt";
import { XEN_DOMCTL_INTERFACE_VERSION } from "../../contract/xen-abi";
import { digestOfMemoryIs } from "./digests";
import { imageRead } from "./machine";
import { HEADER, headerField, PLAN, PLAN_BYTES } from "./memory";
import { keepPlanDigest } from "./receipt";

/** Reads header and plan of the image of `moduleBytes` bytes into linear memory. */
export function acceptImage(moduleBytes: u32): LaunchStatus {
  if (moduleBytes < <u32>ImageHeader.size) return LaunchStatus.imageTruncated;
  imageRead(0, HEADER, <u32>ImageHeader.size);
  if (headerField(ImageHeader.magic) != IMAGE_MAGIC) return LaunchStatus.imageMagic;
  if (headerField(ImageHeader.version) != IMAGE_VERSION) return LaunchStatus.imageVersion;
  if (headerField(ImageHeader.machine) != MACHINE_X86_64) return LaunchStatus.imageTarget;
  if (headerField(ImageHeader.xenInterface) != XEN_DOMCTL_INTERFACE_VERSION) {
    return LaunchStatus.imageTarget;
  }
  const imageBytes = headerField(ImageHeader.imageBytes);
  const planOffset = headerField(ImageHeader.planOffset);
  const planBytes = headerField(ImageHeader.planBytes);
  if (
    headerField(ImageHeader.reserved) != 0 ||
    imageBytes > <u32>MAX_IMAGE_BYTES ||
    planOffset < <u32>ImageHeader.size ||
    planOffset > imageBytes ||
    planBytes < <u32>PlanHeader.size ||
    planBytes > PLAN_BYTES - 128 ||
    planBytes > imageBytes - planOffset
  ) {
    return LaunchStatus.imageMalformed;
  }
  if (moduleBytes < imageBytes) return LaunchStatus.imageTruncated;
  imageRead(planOffset, PLAN, planBytes);
  const intact = digestOfMemoryIs(HEADER + <u32>ImageHeader.planDigest, PLAN, planBytes);
  keepPlanDigest();
  return intact ? LaunchStatus.success : LaunchStatus.planDigest;
}
