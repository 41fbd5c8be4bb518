// SPDX-License-Identifier: Apache-2.0
// Images that are damaged: header, digests, length.

import { HEADERS_END, ImageHeader } from "../../contract/image.js";
import { MAX_IMAGE_BYTES, PAGE_SIZE } from "../../contract/limits.js";
import { MOST_PLAN_BYTES } from "../examine-plans.js";
import type { BaseLaunch } from "./base-launch.js";
import { plainCase, type SuiteCase } from "./suite-case.js";

const headerFields = {
  magic: ImageHeader.magic,
  version: ImageHeader.version,
  machine: ImageHeader.machine,
  xenInterface: ImageHeader.xenInterface,
  launchVersion: ImageHeader.launchVersion,
  verify: ImageHeader.verify,
  imageBytes: ImageHeader.imageBytes,
  planOffset: ImageHeader.planOffset,
  planBytes: ImageHeader.planBytes,
} as const;

const limits = [
  ...[0, 1, 15, 16, 63, 65, PAGE_SIZE, MOST_PLAN_BYTES, MOST_PLAN_BYTES + 1],
  ...[MAX_IMAGE_BYTES, MAX_IMAGE_BYTES + 1, 0xffffffff],
];

/** Each header field with each limit, one bit of each digest, and lengths around each border. */
export function imageCases({ image, plan }: BaseLaunch): readonly SuiteCase[] {
  const header = Object.entries(headerFields).flatMap(([name, offset]) =>
    limits.map((value) => {
      const changed = image.slice();
      new DataView(changed.buffer).setUint32(offset, value, true);
      return plainCase(`image header: ${name} is ${value}`, changed);
    }),
  );
  const flips = [
    ["the plan's digest in the header", ImageHeader.planDigest],
    ["the plan", HEADERS_END + 20],
    ...plan.materials.map(
      ({ kind, offset }, index) => [`material ${index}, ${kind}`, offset] as const,
    ),
    ...plan.materials.map(
      ({ offset, bytes }, index) => [`the byte behind material ${index}`, offset + bytes] as const,
    ),
  ] as const;
  const damaged = flips.map(([what, offset]) => {
    const changed = image.slice();
    changed[offset] = (changed[offset] ?? 0) ^ 0x10;
    return plainCase(`image: a bit of ${what} is flipped`, changed);
  });
  const lengths = [0, 1, 31, 63, 64, 65, 4095, 4096, image.length - 4096, image.length - 1];
  const cut = lengths.map((bytes) =>
    plainCase(`image: cut to ${bytes} bytes`, image.slice(0, bytes)),
  );
  const longer = new Uint8Array(image.length + 5000).fill(0x5a);
  longer.set(image);
  return [...header, ...damaged, ...cut, plainCase("image: bytes behind it", longer)];
}
