// SPDX-License-Identifier: Apache-2.0
// The layout of an image's header, where field names meet the offsets of contract/image.ts.

import { ImageHeader } from "../../contract/image.js";
import { describeRecord, digest, number32 } from "../plan/record.js";

export const imageHeaderLayout = describeRecord(ImageHeader.size, {
  magic: number32(ImageHeader.magic),
  version: number32(ImageHeader.version),
  machine: number32(ImageHeader.machine),
  xenInterface: number32(ImageHeader.xenInterface),
  imageBytes: number32(ImageHeader.imageBytes),
  planOffset: number32(ImageHeader.planOffset),
  planBytes: number32(ImageHeader.planBytes),
  planDigest: digest(ImageHeader.planDigest),
});
