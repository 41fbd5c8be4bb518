// SPDX-License-Identifier: Apache-2.0
// What the boot domain must make of an image's bytes, worked out by other code than its own: the
// plan that it may run, if any, and which pages of the image are materials with right digests.

import { createHash } from "node:crypto";
import { checkPlan } from "../compiler/image/check-plan.js";
import { decodePlan } from "../compiler/plan/encode.js";
import {
  domainLayout,
  materialLayout,
  operationCodes,
  operationLayouts,
  type Plan,
  stepLayout,
} from "../compiler/plan/plan.js";
import { isSignatureOf, type Trust } from "../compiler/signature/sign-image.js";
import { noTrust } from "../compiler/signature/trust.js";
import {
  DomainRecord,
  HEADERS_END,
  IMAGE_MAGIC,
  IMAGE_VERSION,
  ImageHeader,
  MACHINE_ARM64,
  MACHINE_X86_64,
  MAIN_HEADER,
  MaterialKind,
  MaterialRecord,
  OperationRecord,
  PlanHeader,
  RECOVERY_HEADER,
  VERIFY_ALL,
  VERIFY_NONE,
} from "../contract/image.js";
import { LABEL_BYTES, MAX_IMAGE_BYTES, PAGE_SIZE } from "../contract/limits.js";
import { SIGNATURE_BYTES } from "../contract/trust.js";
import { XEN_DOMCTL_INTERFACE_VERSION } from "../contract/xen-abi.js";
import { vcpu_guest_context_size } from "../contract/xen-abi-arm64.js";

/**
 * The plan of an image that a boot domain with this trust is to run on a machine: the main one, else
 * that for recovery, else undefined: it is to refuse the image.
 */
export function acceptedPlan(
  image: Uint8Array,
  trust: Trust = noTrust,
  machine: number = MACHINE_X86_64,
): AcceptedPlan | undefined {
  for (const header of [MAIN_HEADER, RECOVERY_HEADER]) {
    const plan = acceptedAt(image, header, trust, machine);
    if (plan !== undefined) return { plan, isRecovery: header === RECOVERY_HEADER };
  }
  return undefined;
}

export interface AcceptedPlan {
  readonly plan: Plan;
  readonly isRecovery: boolean;
}

function acceptedAt(
  image: Uint8Array,
  headerOffset: number,
  trust: Trust,
  machine: number,
): Plan | undefined {
  if (image.length < HEADERS_END) return undefined;
  const headerBytes = image.subarray(headerOffset, headerOffset + ImageHeader.size);
  const header = new DataView(headerBytes.buffer, headerBytes.byteOffset, headerBytes.length);
  const field = (offset: number): number => header.getUint32(offset, true);
  const imageBytes = field(ImageHeader.imageBytes);
  const planOffset = field(ImageHeader.planOffset);
  const planEnd = planOffset + field(ImageHeader.planBytes);
  const wellFormed =
    field(ImageHeader.magic) === IMAGE_MAGIC &&
    field(ImageHeader.version) === IMAGE_VERSION &&
    field(ImageHeader.machine) === machine &&
    field(ImageHeader.xenInterface) === XEN_DOMCTL_INTERFACE_VERSION &&
    field(ImageHeader.verify) <= VERIFY_ALL &&
    imageBytes <= MAX_IMAGE_BYTES &&
    imageBytes <= image.length &&
    planOffset >= HEADERS_END &&
    planEnd <= imageBytes;
  if (!wellFormed) return undefined;
  const bytes = image.subarray(planOffset, planEnd);
  const digest = headerBytes.subarray(ImageHeader.planDigest, ImageHeader.size);
  if (!createHash("sha256").update(bytes).digest().equals(digest)) return undefined;
  const mayBeUnsigned = field(ImageHeader.verify) === VERIFY_NONE && trust.keys.length === 0;
  if (!mayBeUnsigned) {
    if (field(ImageHeader.launchVersion) < trust.leastLaunchVersion) return undefined;
    const signature = image.subarray(headerOffset).subarray(ImageHeader.size);
    if (!isSigned(headerBytes, signature.subarray(0, SIGNATURE_BYTES), trust)) return undefined;
  }
  const plan = decodePlan(withoutUnused(bytes));
  return plan.ok && checkPlan(plan.value, imageBytes).length === 0 ? plan.value : undefined;
}

/** Signatures that were right: most changed images keep theirs. */
const verified = new Set<string>();

function isSigned(message: Uint8Array, signature: Uint8Array, { keys }: Trust): boolean {
  return keys.some((key) => {
    const hash = createHash("sha256").update(key).update(signature).update(message).digest("hex");
    const right = verified.has(hash) || isSignatureOf(signature, message, key);
    if (right) verified.add(hash);
    return right;
  });
}

/** The plan's bytes with the fields that the boot domain does not read as the compiler has them. */
function withoutUnused(source: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(source);
  const view = new DataView(bytes.buffer);
  if (bytes.length < PlanHeader.size) return bytes;
  const [domains, materials, steps] = [
    view.getUint32(PlanHeader.domains, true),
    view.getUint32(PlanHeader.materials, true),
    view.getUint32(PlanHeader.steps, true),
  ];
  const materialTable = PlanHeader.size + domains * domainLayout.size;
  const domainEnd = Math.min(materialTable, bytes.length - domainLayout.size + 1);
  for (let at = PlanHeader.size; at < domainEnd; at += domainLayout.size) {
    const label = bytes.subarray(at + DomainRecord.label, at + DomainRecord.label + LABEL_BYTES);
    const zero = label.indexOf(0);
    const end = zero < 0 ? LABEL_BYTES - 1 : zero;
    // Whatever its characters are, it is one for Xen to judge.
    label.fill(0x78, 0, end).fill(0, end);
  }
  const operationTable = materialTable + materials * materialLayout.size + steps * stepLayout.size;
  const materialEnd = Math.min(operationTable - steps * stepLayout.size, bytes.length);
  for (let at = materialTable; at + materialLayout.size <= materialEnd; at += materialLayout.size) {
    view.setUint32(at + MaterialRecord.kind, MaterialKind.kernel, true);
  }
  for (let at = operationTable; at + OperationRecord.size <= bytes.length; ) {
    const kind = view.getUint32(at + OperationRecord.kind, true);
    const name = Object.entries(operationCodes).find(([, code]) => code === kind)?.[0];
    const layout = operationLayouts[name as keyof typeof operationLayouts];
    const used = new Set(Object.values(layout?.fields ?? {}).map(({ offset }) => offset));
    for (let offset = 0; offset < OperationRecord.size; offset += 4) {
      if (layout !== undefined && !used.has(offset)) view.setUint32(at + offset, 0, true);
    }
    at += OperationRecord.size;
  }
  return bytes;
}

/** Which pages of an image, and which whole materials, have right digests under a plan. */
export interface IntactMaterials {
  /** Numbers of the pages, from 0. */
  readonly pages: ReadonlySet<number>;
  /** Digests, hexadecimal, of what Xen reads of each if it is a vCPU's context. */
  readonly contexts: ReadonlySet<string>;
}

/** What is intact of the materials of an image for this machine. */
export function intactMaterials(image: Uint8Array, plan: Plan, machine: number): IntactMaterials {
  const pages = new Set<number>();
  const contexts = new Set<string>();
  for (const { offset, bytes, digest } of plan.materials) {
    const end = Math.ceil((offset + bytes) / PAGE_SIZE) * PAGE_SIZE;
    const found = sha256(image.subarray(offset, offset + bytes));
    const padding = image.subarray(offset + bytes, end);
    if (found !== digest || padding.some((byte) => byte !== 0)) continue;
    // Xen on Arm reads a context of its own size, whatever the material's.
    const read = machine === MACHINE_ARM64 ? vcpu_guest_context_size : bytes;
    contexts.add(sha256(image.subarray(offset, offset + read)));
    for (let page = offset / PAGE_SIZE; page < end / PAGE_SIZE; page++) pages.add(page);
  }
  return { pages, contexts };
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
