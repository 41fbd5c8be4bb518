// SPDX-License-Identifier: Apache-2.0
// The launch plan as the compiler holds it, and the layout of each of its records: the one place
// where field names meet the offsets of contract/image.ts.

import {
  DomainRecord,
  MaterialKind,
  MaterialRecord,
  OperationKind,
  OperationRecord,
  PlanHeader,
  StepRecord,
} from "../../contract/image.js";
import { DIGEST_BYTES, LABEL_BYTES, NAME_BYTES } from "../../contract/limits.js";
import {
  choice,
  describeRecord,
  digest,
  number32,
  type RecordLayout,
  type RecordValue,
  text,
} from "./record.js";

const launchFields = {
  dropped: number32(PlanHeader.dropped),
  policyBytes: number32(PlanHeader.policyBytes),
  policyDigest: digest(PlanHeader.policyDigest),
};

/** What the plan's header says beside the sizes of its tables. */
export const launchLayout = describeRecord(PlanHeader.size, launchFields);

export const planHeaderLayout = describeRecord(PlanHeader.size, {
  domains: number32(PlanHeader.domains),
  materials: number32(PlanHeader.materials),
  steps: number32(PlanHeader.steps),
  operations: number32(PlanHeader.operations),
  ...launchFields,
});

export const domainLayout = describeRecord(DomainRecord.size, {
  name: text(DomainRecord.name, NAME_BYTES, 1),
  domid: number32(DomainRecord.domid),
  createFlags: number32(DomainRecord.createFlags),
  devices: number32(DomainRecord.devices),
  sharedInterrupts: number32(DomainRecord.sharedInterrupts),
  vcpus: number32(DomainRecord.vcpus),
  memoryPages: number32(DomainRecord.memoryPages),
  pagingPoolPages: number32(DomainRecord.pagingPoolPages),
  maxEventChannelPort: number32(DomainRecord.maxEventChannelPort),
  maxGrantFrames: number32(DomainRecord.maxGrantFrames),
  maxMaptrackFrames: number32(DomainRecord.maxMaptrackFrames),
  label: text(DomainRecord.label, LABEL_BYTES),
});

export const materialLayout = describeRecord(MaterialRecord.size, {
  kind: choice(MaterialRecord.kind, {
    kernel: MaterialKind.kernel,
    ramdisk: MaterialKind.ramdisk,
    startOfDay: MaterialKind.startOfDay,
    vcpuContext: MaterialKind.vcpuContext,
  }),
  offset: number32(MaterialRecord.offset),
  bytes: number32(MaterialRecord.bytes),
  digest: digest(MaterialRecord.digest),
});

export const stepLayout = describeRecord(StepRecord.size, {
  domain: number32(StepRecord.domain),
  firstOperation: number32(StepRecord.firstOperation),
  operationCount: number32(StepRecord.operationCount),
  afterStep: number32(StepRecord.afterStep),
});

/** The code of each kind of operation. */
export const operationCodes = {
  verify: OperationKind.verify,
  createDomain: OperationKind.createDomain,
  allocateVcpus: OperationKind.allocateVcpus,
  setPagingPool: OperationKind.setPagingPool,
  limitMemory: OperationKind.limitMemory,
  populate: OperationKind.populate,
  copy: OperationKind.copy,
  clear: OperationKind.clear,
  setContext: OperationKind.setContext,
  start: OperationKind.start,
} as const;

const kind = choice(OperationRecord.kind, operationCodes);
const material = number32(OperationRecord.material);
const offset = number32(OperationRecord.offset);
const frame = number32(OperationRecord.frame);
const count = number32(OperationRecord.count);
const order = number32(OperationRecord.order);

/** The fields that each kind of operation uses; all others are zero. */
export const operationLayouts = {
  verify: describeRecord(OperationRecord.size, { kind, material }),
  createDomain: describeRecord(OperationRecord.size, { kind }),
  allocateVcpus: describeRecord(OperationRecord.size, { kind }),
  setPagingPool: describeRecord(OperationRecord.size, { kind }),
  limitMemory: describeRecord(OperationRecord.size, { kind }),
  populate: describeRecord(OperationRecord.size, { kind, frame, count, order }),
  copy: describeRecord(OperationRecord.size, { kind, material, offset, frame, count }),
  clear: describeRecord(OperationRecord.size, { kind, frame, count }),
  setContext: describeRecord(OperationRecord.size, { kind, material }),
  start: describeRecord(OperationRecord.size, { kind }),
} as const;

/** What every operation has: only its kind. */
export const operationKindLayout = describeRecord(OperationRecord.size, { kind });

export type OperationName = keyof typeof operationLayouts;
type FieldsOf<Layout> = Layout extends RecordLayout<infer F> ? F : never;

/** One Initial Domain; counts of pages and frames as in contract/image.ts. */
export type PlanDomain = RecordValue<(typeof domainLayout)["fields"]>;
/** Offset and size in bytes, in the image. */
export type PlanMaterial = RecordValue<(typeof materialLayout)["fields"]>;
/** Indexes count from 0; `afterStep` is a number from 1, or 0 for none. */
export type PlanStep = RecordValue<(typeof stepLayout)["fields"]>;
/** One operation, with the fields that its kind uses. */
export type PlanOperation = {
  [Name in OperationName]: Omit<RecordValue<FieldsOf<(typeof operationLayouts)[Name]>>, "kind"> & {
    readonly kind: Name;
  };
}[OperationName];

/**
 * Privileges (XEN_DOMCTL_CDF_*) that the launch gives to nobody, and that nobody can have after;
 * size and digest of the FLASK policy that Xen must enforce, 0 and zeros without.
 */
export type PlanLaunch = RecordValue<(typeof launchLayout)["fields"]>;

/** Of a launch that is for no FLASK policy. */
export const noPolicy = { policyBytes: 0, policyDigest: "0".repeat(2 * DIGEST_BYTES) } as const;

export interface Plan extends PlanLaunch {
  readonly domains: readonly PlanDomain[];
  readonly materials: readonly PlanMaterial[];
  readonly steps: readonly PlanStep[];
  readonly operations: readonly PlanOperation[];
}
