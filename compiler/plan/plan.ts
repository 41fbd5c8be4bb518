// SPDX-License-Identifier: Apache-2.0
// The launch plan as the compiler holds it, and the layout of each of its records: the one place
// where field names meet the offsets of contract/image.ts.

import {
  DomainRecord,
  GUARD_BYTES,
  MaterialKind,
  MaterialRecord,
  OnFailure,
  OperationKind,
  OperationRecord,
  PlanHeader,
  Readiness,
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
  reservedPrivileges: number32(PlanHeader.reservedPrivileges),
  reservedPages: number32(PlanHeader.reservedPages),
};

/** What the plan's header says beside the sizes of its tables. */
export const launchLayout = describeRecord(PlanHeader.size, launchFields);

export const planHeaderLayout = describeRecord(PlanHeader.size, {
  domains: number32(PlanHeader.domains),
  materials: number32(PlanHeader.materials),
  steps: number32(PlanHeader.steps),
  operations: number32(PlanHeader.operations),
  guards: number32(PlanHeader.guards),
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
  cpuPool: number32(DomainRecord.cpuPool),
  readiness: choice(DomainRecord.readiness, {
    started: Readiness.started,
    signalled: Readiness.signalled,
    finished: Readiness.finished,
  }),
  readyWithin: number32(DomainRecord.readyWithin),
  onFailure: choice(DomainRecord.onFailure, {
    abort: OnFailure.abort,
    continue: OnFailure.goOn,
    recover: OnFailure.recover,
  }),
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
  firstGuard: number32(StepRecord.firstGuard),
  guardCount: number32(StepRecord.guardCount),
});

export const guardLayout = describeRecord(GUARD_BYTES, { domain: number32(0) });

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
  openChannel: OperationKind.openChannel,
  openSignal: OperationKind.openSignal,
  grant: OperationKind.grant,
  setAffinity: OperationKind.setAffinity,
  setShare: OperationKind.setShare,
  createPool: OperationKind.createPool,
  moveCpu: OperationKind.moveCpu,
} as const;

const kind = choice(OperationRecord.kind, operationCodes);
const material = number32(OperationRecord.material);
const offset = number32(OperationRecord.offset);
const frame = number32(OperationRecord.frame);
const count = number32(OperationRecord.count);
const order = number32(OperationRecord.order);
const peer = number32(OperationRecord.peer);
const port = number32(OperationRecord.port);
const reference = number32(OperationRecord.reference);
const readOnly = number32(OperationRecord.readOnly);
const vcpu = number32(OperationRecord.vcpu);
const lowCpus = number32(OperationRecord.lowCpus);
const highCpus = number32(OperationRecord.highCpus);
const scheduler = number32(OperationRecord.scheduler);
const weight = number32(OperationRecord.weight);
const cap = number32(OperationRecord.cap);
const pool = number32(OperationRecord.pool);
const cpu = number32(OperationRecord.cpu);

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
  openChannel: describeRecord(OperationRecord.size, { kind, peer, port }),
  openSignal: describeRecord(OperationRecord.size, { kind, port }),
  grant: describeRecord(OperationRecord.size, { kind, peer, reference, frame, count, readOnly }),
  setAffinity: describeRecord(OperationRecord.size, { kind, vcpu, lowCpus, highCpus }),
  setShare: describeRecord(OperationRecord.size, { kind, scheduler, weight, cap }),
  createPool: describeRecord(OperationRecord.size, { kind, pool, scheduler }),
  moveCpu: describeRecord(OperationRecord.size, { kind, pool, cpu }),
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
 * size and digest of the FLASK policy that Xen must enforce, 0 and zeros without; privileges and
 * pages that are kept for the recovery plan.
 */
export type PlanLaunch = RecordValue<(typeof launchLayout)["fields"]>;

/** Of a launch that is for no FLASK policy. */
export const noPolicy = { policyBytes: 0, policyDigest: "0".repeat(2 * DIGEST_BYTES) } as const;

/** Of a launch that keeps nothing for a recovery plan. */
export const noReserve = { reservedPrivileges: 0, reservedPages: 0 } as const;

/** Of a step that waits for no domain. */
export const unguarded = { firstGuard: 0, guardCount: 0 } as const;

export interface Plan extends PlanLaunch {
  readonly domains: readonly PlanDomain[];
  readonly materials: readonly PlanMaterial[];
  readonly steps: readonly PlanStep[];
  /** Indexes of domains that must be ready, which the steps point to. */
  readonly guards: readonly number[];
  readonly operations: readonly PlanOperation[];
}
