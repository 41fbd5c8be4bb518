// SPDX-License-Identifier: Apache-2.0
// Accepts one of an image's plans: its header, the plan's digest, the signature. Any bytes end in a
// status; of the plan nothing but the digest has been looked at here.

import {
  HEADERS_END,
  IMAGE_MAGIC,
  IMAGE_VERSION,
  ImageHeader,
  PlanHeader,
  VERIFY_ALL,
} from "../../contract/image";
import { MAX_IMAGE_BYTES } from "../../contract/limits";
import { LaunchStatus, ReceiptHeader } from "../../contract/receipt";
import { XEN_DOMCTL_INTERFACE_VERSION } from "../../contract/xen-abi";
import { digestOfMemoryIs } from "./digests";
import { imageRead } from "./machine";
import { HEADER, headerField, PLAN, PLAN_BYTES } from "./memory";
import { keepPlanDigest, setReceiptField } from "./receipt";
import { acceptSignature } from "./signature";

/** Reads the header at `offset`, and its plan, of an image of `moduleBytes` bytes for `machine`. */
export function acceptImage(offset: u32, moduleBytes: u32, machine: u32): LaunchStatus {
  if (moduleBytes < <u32>HEADERS_END) return LaunchStatus.imageTruncated;
  imageRead(offset, HEADER, <u32>ImageHeader.size);
  if (headerField(ImageHeader.magic) != IMAGE_MAGIC) return LaunchStatus.imageMagic;
  if (headerField(ImageHeader.version) != IMAGE_VERSION) return LaunchStatus.imageVersion;
  if (headerField(ImageHeader.machine) != machine) return LaunchStatus.imageTarget;
  if (headerField(ImageHeader.xenInterface) != XEN_DOMCTL_INTERFACE_VERSION) {
    return LaunchStatus.imageTarget;
  }
  const imageBytes = headerField(ImageHeader.imageBytes);
  const planOffset = headerField(ImageHeader.planOffset);
  const planBytes = headerField(ImageHeader.planBytes);
  if (
    headerField(ImageHeader.verify) > <u32>VERIFY_ALL ||
    imageBytes > <u32>MAX_IMAGE_BYTES ||
    planOffset < <u32>HEADERS_END ||
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
  setReceiptField(ReceiptHeader.launchVersion, headerField(ImageHeader.launchVersion));
  return intact ? acceptSignature(offset) : LaunchStatus.planDigest;
}
