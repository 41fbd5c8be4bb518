// SPDX-License-Identifier: Apache-2.0
// The layout of a plan's header in an image, where field names meet the offsets of
// contract/image.ts.

import { ImageHeader, VERIFY_ALL, VERIFY_NONE } from "../../contract/image.js";
import { choice, describeRecord, digest, number32, type RecordValue } from "../plan/record.js";

/** Each way to verify a plan. */
export const verifications = { none: VERIFY_NONE, all: VERIFY_ALL } as const;

/** Whether a plan may run without a signature, and with it all that the plan holds. */
export type Verify = keyof typeof verifications;

export const imageHeaderLayout = describeRecord(ImageHeader.size, {
  magic: number32(ImageHeader.magic),
  version: number32(ImageHeader.version),
  machine: number32(ImageHeader.machine),
  xenInterface: number32(ImageHeader.xenInterface),
  launchVersion: number32(ImageHeader.launchVersion),
  verify: choice(ImageHeader.verify, verifications),
  imageBytes: number32(ImageHeader.imageBytes),
  planOffset: number32(ImageHeader.planOffset),
  planBytes: number32(ImageHeader.planBytes),
  planDigest: digest(ImageHeader.planDigest),
});

export type ImageHeaderValue = RecordValue<(typeof imageHeaderLayout)["fields"]>;
