// SPDX-License-Identifier: Apache-2.0
// What the boot domain must make of an image's bytes, worked out by other code than its own: which
// plans it may run, or why not, and which pages of the image are materials with right digests.

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
  GUARD_BYTES,
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
import { LaunchStatus } from "../contract/receipt.js";
import { SIGNATURE_BYTES } from "../contract/trust.js";
import { XEN_DOMCTL_INTERFACE_VERSION } from "../contract/xen-abi.js";
import { vcpu_guest_context_size } from "../contract/xen-abi-arm64.js";

/** PLAN_BYTES of bootdomain/assembly/memory.ts without the room for padding. */
export const MOST_PLAN_BYTES = 0x70000 - 128;

/** What a boot domain must make of one of an image's plans. */
export interface ExaminedPlan {
  /** The plan, if it may run. */
  readonly plan: Plan | undefined;
  /** Why it may not, a LaunchStatus; success if it may. */
  readonly status: number;
  /** Number among the trusted keys of the one that signed it, from 1; 0: none did. */
  readonly signedBy: number;
  /** SHA-256 of the plan, and the version of the launch; zeros if the header is refused. */
  readonly planDigest: string;
  readonly launchVersion: number;
}

export interface ExaminedPlans {
  readonly main: ExaminedPlan;
  readonly recovery: ExaminedPlan;
}

/** What a boot domain with this trust must make of an image on a machine. */
export function examinePlans(
  image: Uint8Array,
  trust: Trust = noTrust,
  machine: number = MACHINE_X86_64,
): ExaminedPlans {
  let recovery: ExaminedPlan | undefined;
  return {
    main: examineAt(image, MAIN_HEADER, trust, machine),
    // Signatures take milliseconds, and most launches need but one.
    get recovery() {
      recovery ??= examineAt(image, RECOVERY_HEADER, trust, machine);
      return recovery;
    },
  };
}

const unread = { plan: undefined, signedBy: 0, planDigest: "0".repeat(64), launchVersion: 0 };

function examineAt(
  image: Uint8Array,
  headerOffset: number,
  trust: Trust,
  machine: number,
): ExaminedPlan {
  if (image.length < HEADERS_END) return { ...unread, status: LaunchStatus.imageTruncated };
  const headerBytes = image.subarray(headerOffset, headerOffset + ImageHeader.size);
  const header = new DataView(headerBytes.buffer, headerBytes.byteOffset, headerBytes.length);
  const field = (offset: number): number => header.getUint32(offset, true);
  const status = statusOfHeader(field, image.length, machine);
  if (status !== LaunchStatus.success) return { ...unread, status };
  const planOffset = field(ImageHeader.planOffset);
  const bytes = image.subarray(planOffset, planOffset + field(ImageHeader.planBytes));
  const planDigest = sha256(bytes);
  const launchVersion = field(ImageHeader.launchVersion);
  const read = { ...unread, planDigest, launchVersion };
  const digest = headerBytes.subarray(ImageHeader.planDigest, ImageHeader.size);
  if (Buffer.from(digest).toString("hex") !== planDigest) {
    return { ...read, status: LaunchStatus.planDigest };
  }
  const signature = image.subarray(headerOffset).subarray(ImageHeader.size);
  const signedBy = signerOf(headerBytes, signature.subarray(0, SIGNATURE_BYTES), trust);
  if (signedBy > 0 && launchVersion < trust.leastLaunchVersion) {
    return { ...read, status: LaunchStatus.launchVersion };
  }
  const mayBeUnsigned = field(ImageHeader.verify) === VERIFY_NONE && trust.keys.length === 0;
  if (signedBy === 0 && !mayBeUnsigned) return { ...read, status: LaunchStatus.signature };
  const decoded = decodePlan(withoutUnused(bytes));
  const isRight =
    decoded.ok && checkPlan(decoded.value, field(ImageHeader.imageBytes)).length === 0;
  return isRight
    ? { ...read, signedBy, plan: decoded.value, status: LaunchStatus.success }
    : { ...read, signedBy, status: LaunchStatus.planMalformed };
}

/** What is to be said of the fields of a header in an image of so many bytes. */
function statusOfHeader(
  field: (offset: number) => number,
  bytes: number,
  machine: number,
): LaunchStatus {
  if (field(ImageHeader.magic) !== IMAGE_MAGIC) return LaunchStatus.imageMagic;
  if (field(ImageHeader.version) !== IMAGE_VERSION) return LaunchStatus.imageVersion;
  const isForThis =
    field(ImageHeader.machine) === machine &&
    field(ImageHeader.xenInterface) === XEN_DOMCTL_INTERFACE_VERSION;
  if (!isForThis) return LaunchStatus.imageTarget;
  const imageBytes = field(ImageHeader.imageBytes);
  const planOffset = field(ImageHeader.planOffset);
  const planBytes = field(ImageHeader.planBytes);
  const wellFormed =
    field(ImageHeader.verify) <= VERIFY_ALL &&
    imageBytes <= MAX_IMAGE_BYTES &&
    planOffset >= HEADERS_END &&
    planBytes >= PlanHeader.size &&
    planBytes <= MOST_PLAN_BYTES &&
    planOffset + planBytes <= imageBytes;
  if (!wellFormed) return LaunchStatus.imageMalformed;
  return bytes < imageBytes ? LaunchStatus.imageTruncated : LaunchStatus.success;
}

/** Signatures that were right: most changed images keep theirs. */
const verified = new Set<string>();

/** Number of the key whose signature it is, from 1; 0: none. */
function signerOf(message: Uint8Array, signature: Uint8Array, { keys }: Trust): number {
  const signer = keys.findIndex((key) => {
    const hash = createHash("sha256").update(key).update(signature).update(message).digest("hex");
    const right = verified.has(hash) || isSignatureOf(signature, message, key);
    if (right) verified.add(hash);
    return right;
  });
  return signer + 1;
}

/** The plan's bytes with the fields that the boot domain does not read as the compiler has them. */
function withoutUnused(source: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(source);
  const view = new DataView(bytes.buffer);
  if (bytes.length < PlanHeader.size) return bytes;
  const [domains, materials, steps, guards] = [
    view.getUint32(PlanHeader.domains, true),
    view.getUint32(PlanHeader.materials, true),
    view.getUint32(PlanHeader.steps, true),
    view.getUint32(PlanHeader.guards, true),
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
  const stepTable = materialTable + materials * materialLayout.size;
  const operationTable = stepTable + steps * stepLayout.size + guards * GUARD_BYTES;
  const materialEnd = Math.min(stepTable, bytes.length);
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

/** What of an image's materials has right digests under a plan. */
export interface IntactMaterials {
  /** For each material whether it has. */
  readonly materials: readonly boolean[];
  /** Numbers of the pages that do, from 0. */
  readonly pages: ReadonlySet<number>;
  /** Digests, hexadecimal, of what Xen reads of each if it is a vCPU's context. */
  readonly contexts: ReadonlySet<string>;
}

/** What is intact of the materials of an image for this machine. */
export function intactMaterials(image: Uint8Array, plan: Plan, machine: number): IntactMaterials {
  const pages = new Set<number>();
  const contexts = new Set<string>();
  const materials = plan.materials.map(({ offset, bytes, digest }) => {
    const end = Math.ceil((offset + bytes) / PAGE_SIZE) * PAGE_SIZE;
    const found = sha256(image.subarray(offset, offset + bytes));
    const padding = image.subarray(offset + bytes, end);
    if (found !== digest || padding.some((byte) => byte !== 0)) return false;
    // Xen on Arm reads a context of its own size, whatever the material's.
    const read = machine === MACHINE_ARM64 ? vcpu_guest_context_size : bytes;
    contexts.add(sha256(image.subarray(offset, offset + read)));
    for (let page = offset / PAGE_SIZE; page < end / PAGE_SIZE; page++) pages.add(page);
    return true;
  });
  return { materials, pages, contexts };
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
