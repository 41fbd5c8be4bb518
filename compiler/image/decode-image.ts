// SPDX-License-Identifier: Apache-2.0
// Takes an image apart again. Any bytes give a decoded image or diagnostics; an image that decodes
// has intact digests and plans within all bounds. Signatures are only taken out here.

import { createHash } from "node:crypto";
import {
  HEADERS_END,
  IMAGE_MAGIC,
  IMAGE_VERSION,
  ImageHeader,
  MAIN_HEADER,
  RECOVERY_HEADER,
} from "../../contract/image.js";
import { MAX_IMAGE_BYTES, PAGE_SIZE } from "../../contract/limits.js";
import { SIGNATURE_BYTES } from "../../contract/trust.js";
import { type Architecture, architectureOf, machines } from "../../xen-model/machines.js";
import type { Diagnostic, Place, Result } from "../diagnostics/diagnostic.js";
import { pagesOf } from "../guest/memory-ranges.js";
import { decodePlan } from "../plan/encode.js";
import { type Plan, planHeaderLayout } from "../plan/plan.js";
import { decodeRecord } from "../plan/record.js";
import { checkPlan } from "./check-plan.js";
import { type ImageHeaderValue, imageHeaderLayout } from "./image-header.js";
import { imageRules } from "./rules.js";
import { xenInterfaces } from "./xen-versions.js";

type ImageCode = Parameters<typeof imageRules.diagnose>[0];

/** One plan of an image. */
export interface DecodedPlan {
  readonly architecture: Architecture;
  readonly header: ImageHeaderValue;
  /** Of the header: what is signed. */
  readonly headerBytes: Uint8Array;
  /** SIGNATURE_BYTES of it, whoever made them; undefined: it is not signed. */
  readonly signature: Uint8Array | undefined;
  readonly plan: Plan;
  /** Each material's bytes, in the plan's order. */
  readonly materials: readonly Uint8Array[];
}

/** The main plan, and the recovery plan if there is one. */
export interface DecodedImage extends DecodedPlan {
  readonly recovery: DecodedPlan | undefined;
}

const BUILD_AGAIN = "Build the image again from its description.";
/** More faults of one plan than this help nobody. */
const MOST_PLAN_FAULTS = 20;

/** Decodes an image; `place` is where it came from. */
export function decodeImage(image: Uint8Array, place: Place = {}): Result<DecodedImage> {
  const main = decodePlanAt(image, MAIN_HEADER, place);
  if (!main.ok) return main;
  if (!hasRecovery(image)) {
    return { ...main, value: { ...main.value, recovery: undefined } };
  }
  const recovery = decodePlanAt(image, RECOVERY_HEADER, place);
  if (!recovery.ok) return recovery;
  return { ...main, value: { ...main.value, recovery: recovery.value } };
}

/** Whether anything lies where a recovery plan's header and signature would. */
export function hasRecovery(image: Uint8Array): boolean {
  return image.subarray(RECOVERY_HEADER, HEADERS_END).some((byte) => byte !== 0);
}

/** Decodes the plan whose header lies at this offset: MAIN_HEADER or RECOVERY_HEADER. */
export function decodePlanAt(
  image: Uint8Array,
  offset: number,
  place: Place = {},
): Result<DecodedPlan> {
  const header = decodeHeader(image, offset, place);
  if (!header.ok) return header;
  const { planOffset, planBytes, planDigest, imageBytes } = header.value;
  const planSource = image.subarray(planOffset, planOffset + planBytes);
  const found = sha256(planSource);
  if (found !== planDigest) {
    return fault(
      place,
      "DOMB5003",
      `the plan's SHA-256 digest is ${found}, wanted ${planDigest} as the header says`,
    );
  }
  const plan = decodePlan(planSource);
  if (!plan.ok) {
    const messages = plan.faults.map(
      ([field, { found, wanted }]) => `${field} is ${found}, wanted ${wanted}`,
    );
    return faults(place, "DOMB5004", messages);
  }
  const outside = checkPlan(plan.value, imageBytes);
  if (outside.length > 0) return faults(place, "DOMB5004", outside);
  const materials = plan.value.materials.map(({ offset, bytes }) =>
    image.subarray(offset, offset + bytes),
  );
  const damaged = plan.value.materials.flatMap(({ kind, digest }, index) => {
    const found = sha256(materials[index] ?? new Uint8Array());
    return found === digest
      ? []
      : [
          `the SHA-256 digest of material ${index} (${kind}) is ${found}, wanted ${digest} as ` +
            "the plan says",
        ];
  });
  const padded = plan.value.materials.flatMap(({ kind, offset, bytes }, index) =>
    restOfPage(image, offset + bytes).every((byte) => byte === 0)
      ? []
      : [`behind material ${index} (${kind}) its last page is not zero`],
  );
  if (damaged.length + padded.length > 0) {
    return faults(place, "DOMB5005", [...damaged, ...padded]);
  }
  return {
    ok: true,
    value: {
      architecture: architectureOf(header.value.machine) ?? "x86_64",
      header: header.value,
      headerBytes: image.subarray(offset, offset + ImageHeader.size),
      signature: signatureAt(image, offset),
      plan: plan.value,
      materials,
    },
    diagnostics: [],
  };
}

/** The signature behind the header at this offset; undefined when zeros lie there. */
function signatureAt(image: Uint8Array, offset: number): Uint8Array | undefined {
  const start = offset + ImageHeader.size;
  const signature = image.subarray(start, start + SIGNATURE_BYTES);
  return signature.some((byte) => byte !== 0) ? signature : undefined;
}

function decodeHeader(image: Uint8Array, offset: number, place: Place): Result<ImageHeaderValue> {
  if (image.length < HEADERS_END) {
    return fault(
      place,
      "DOMB5001",
      `the file has ${image.length} bytes, wanted at least the ${HEADERS_END} of two headers`,
    );
  }
  const bytes = Buffer.from(image.buffer, image.byteOffset + offset, ImageHeader.size);
  const header = decodeRecord(imageHeaderLayout, bytes);
  if (!header.ok) {
    const messages = header.faults.map(
      ([field, { found, wanted }]) => `${field} of the header is ${found}, wanted ${wanted}`,
    );
    return faults(place, "DOMB5002", messages);
  }
  const { magic, version, machine, xenInterface, imageBytes, planOffset, planBytes } = header.value;
  const known: [field: string, found: number, values: readonly number[]][] = [
    ["magic", magic, [IMAGE_MAGIC]],
    ["version", version, [IMAGE_VERSION]],
    ["machine", machine, Object.values(machines)],
    ["xenInterface", xenInterface, Object.values(xenInterfaces)],
  ];
  const wanted = known
    .filter(([, found, values]) => !values.includes(found))
    .map(([field, found, values]) => {
      const either = values.map((value) => `0x${value.toString(16)}`).join(" or ");
      return `${field} of the header is 0x${found.toString(16)}, wanted ${either}`;
    });
  if (wanted.length > 0) return faults(place, "DOMB5002", wanted);
  if (imageBytes > MAX_IMAGE_BYTES) {
    return fault(
      place,
      "DOMB5002",
      `imageBytes of the header is ${imageBytes}, wanted ${MAX_IMAGE_BYTES} at most`,
    );
  }
  if (
    planOffset < HEADERS_END ||
    planBytes < planHeaderLayout.size ||
    planOffset + planBytes > imageBytes
  ) {
    return fault(
      place,
      "DOMB5002",
      `planOffset ${planOffset} and planBytes ${planBytes} of the header are not within the ` +
        `image's bytes ${HEADERS_END} to ${imageBytes}`,
    );
  }
  if (image.length < imageBytes) {
    return fault(
      place,
      "DOMB5001",
      `the file has ${image.length} bytes, wanted ${imageBytes} as the header says`,
    );
  }
  return { ok: true, value: header.value, diagnostics: [] };
}

function fault(place: Place, code: ImageCode, message: string): Result<never> {
  return faults(place, code, [message]);
}

function faults(place: Place, code: ImageCode, messages: readonly string[]): Result<never> {
  const diagnostics: readonly Diagnostic[] = messages
    .slice(0, MOST_PLAN_FAULTS)
    .map((message) => imageRules.diagnose(code, { place, message, fix: BUILD_AGAIN }));
  return { ok: false, diagnostics };
}

/** What lies between `end` and the end of its page: it is copied to guests, but not digested. */
function restOfPage(image: Uint8Array, end: number): Uint8Array {
  return image.subarray(end, pagesOf(end) * PAGE_SIZE);
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
