// SPDX-License-Identifier: Apache-2.0
// Executes one operation of an accepted plan on the domain of its step. What an operation needs
// (creation, verification) is checked here; Xen checks the rest.

import {
  DomainRecord,
  MaterialRecord,
  OperationKind,
  OperationRecord,
  PlanHeader,
  Readiness,
} from "../../contract/image";
import { BOOT_DOMID } from "../../contract/limits";
import { DomainState, LaunchStatus, ReceiptDomain, ReceiptHeader } from "../../contract/receipt";
import { XEN_EACCES, XEN_ESRCH } from "../../contract/xen-abi";
import { digestOfImageIs, digestOfMemoryIs } from "./digests";
import {
  allocateVcpus,
  clearPages,
  copyPages,
  createDomain,
  createPool,
  destroyDomain,
  dropPrivileges,
  grantPages,
  limitMemory,
  moveCpu,
  openChannel,
  policyBytes,
  populate,
  readPolicy,
  setAffinity,
  setContext,
  setPagingPool,
  setShare,
  startDomain,
} from "./hypercalls";
import { clock } from "./machine";
import { PIECE, PLAN, VERIFIED } from "./memory";
import { domainField, materialDigest, materialField, operationField, planField } from "./plan";
import {
  addTime,
  domainState,
  receiptField,
  setDomainField,
  setDomainTime,
  setReceiptField,
} from "./receipt";

/** What is known of a material. */
const INTACT: u8 = 1;
const CORRUPT: u8 = 2;

/** Status of a hypercall's errno, which the receipt keeps. */
export function statusOf(error: u32): LaunchStatus {
  setReceiptField(ReceiptHeader.error, error);
  return error == 0 ? LaunchStatus.success : LaunchStatus.hypercall;
}

/**
 * Gives up what the plan gives to no domain, before anything that a plan can make go wrong. Xen
 * refuses that of a boot domain that was made for another one.
 */
export function drop(): LaunchStatus {
  const error = dropPrivileges();
  const status = statusOf(error);
  return error == XEN_EACCES ? LaunchStatus.imageTarget : status;
}

/** Accepts the FLASK policy that Xen enforces, if the plan is for one. */
export function acceptPolicy(): LaunchStatus {
  const bytes = planField(PlanHeader.policyBytes);
  if (bytes == 0) return LaunchStatus.success;
  const isIt =
    statusOf(readPolicy()) == LaunchStatus.success &&
    policyBytes() == bytes &&
    digestOfMemoryIs(PLAN + <u32>PlanHeader.policyDigest, PIECE, bytes);
  return isIt ? LaunchStatus.success : LaunchStatus.policy;
}

/** Index of the operation that is executed. */
let current: u32 = 0;

/** Reads a field of it. */
function read(field: OperationRecord): u32 {
  return operationField(current, field);
}

/** Executes the operation with this index on the domain with that index. */
export function executeOperation(operation: u32, domain: u32): LaunchStatus {
  current = operation;
  const kind: OperationKind = read(OperationRecord.kind);
  if (kind == OperationKind.verify) return verify(read(OperationRecord.material));
  const isOfHost = kind == OperationKind.createPool || kind == OperationKind.moveCpu;
  const needed = kind == OperationKind.createDomain ? DomainState.absent : DomainState.created;
  if (!isOfHost && domainState(domain) != needed) return LaunchStatus.outOfOrder;
  const usesMaterial = kind == OperationKind.copy || kind == OperationKind.setContext;
  if (usesMaterial && !isVerified(read(OperationRecord.material))) return LaunchStatus.outOfOrder;
  return statusOf(perform(kind, domain));
}

/** Makes the operation's hypercalls; returns Xen's errno. */
function perform(kind: OperationKind, domain: u32): u32 {
  const domid = domainField(domain, DomainRecord.domid);
  const begin = clock();
  switch (kind) {
    case OperationKind.createPool:
      return createPool(read(OperationRecord.pool), read(OperationRecord.scheduler));
    case OperationKind.moveCpu:
      return moveCpu(read(OperationRecord.pool), read(OperationRecord.cpu));
    case OperationKind.createDomain: {
      const error = createDomain(domain, domid);
      if (error == 0) reach(domain, DomainState.created, ReceiptDomain.createdAt, begin);
      return error;
    }
    case OperationKind.start: {
      const error = startDomain(domid);
      if (error != 0) return error;
      reach(domain, DomainState.started, ReceiptDomain.startedAt, begin);
      if (domainField(domain, DomainRecord.readiness) == <u32>Readiness.started) {
        setDomainTime(domain, ReceiptDomain.readyAt, begin);
      }
      return 0;
    }
    case OperationKind.allocateVcpus:
      return allocateVcpus(domid, domainField(domain, DomainRecord.vcpus));
    case OperationKind.setPagingPool:
      return setPagingPool(domid, domainField(domain, DomainRecord.pagingPoolPages));
    case OperationKind.limitMemory:
      return limitMemory(domid, domainField(domain, DomainRecord.memoryPages));
    case OperationKind.populate:
    case OperationKind.clear:
    case OperationKind.copy:
      return fill(kind, domid, begin);
    case OperationKind.setContext: {
      const material = read(OperationRecord.material);
      const offset = materialField(material, MaterialRecord.offset);
      return setContext(domid, offset, materialField(material, MaterialRecord.bytes));
    }
    case OperationKind.setAffinity: {
      const vcpu = read(OperationRecord.vcpu);
      const low = read(OperationRecord.lowCpus);
      return setAffinity(domid, vcpu, low, read(OperationRecord.highCpus));
    }
    case OperationKind.setShare: {
      const weight = read(OperationRecord.weight);
      return setShare(domid, read(OperationRecord.scheduler), weight, read(OperationRecord.cap));
    }
    case OperationKind.openSignal:
      return openChannel(BOOT_DOMID, domid, read(OperationRecord.port));
    default:
      return link(kind, domid);
  }
}

/** Gives memory to a domain, or fills it; the receipt tells the time that each kind takes. */
function fill(kind: OperationKind, domid: u32, begin: u64): u32 {
  const frame = read(OperationRecord.frame);
  const count = read(OperationRecord.count);
  let ticks = ReceiptHeader.populateTicks;
  let error: u32;
  if (kind == OperationKind.populate) {
    error = populate(domid, frame, count, read(OperationRecord.order));
  } else if (kind == OperationKind.clear) {
    error = clearPages(domid, frame, count);
    ticks = ReceiptHeader.clearTicks;
  } else {
    const material = read(OperationRecord.material);
    const offset = materialField(material, MaterialRecord.offset) + read(OperationRecord.offset);
    error = copyPages(domid, frame, offset, count);
    ticks = ReceiptHeader.copyTicks;
  }
  addTime(ticks, begin);
  return error;
}

/** Makes a link with another domain, unless the launch goes on without that. */
function link(kind: OperationKind, domid: u32): u32 {
  const peer = read(OperationRecord.peer);
  if (isLost(peer)) return 0;
  const remote = domainField(peer, DomainRecord.domid);
  if (kind == OperationKind.openChannel) {
    return openChannel(domid, remote, read(OperationRecord.port));
  }
  const reference = read(OperationRecord.reference);
  const frame = read(OperationRecord.frame);
  const count = read(OperationRecord.count);
  return grantPages(domid, remote, reference, frame, count, read(OperationRecord.readOnly));
}

/** A domain has come to a state. */
function reach(domain: u32, state: DomainState, field: ReceiptDomain, at: u64): void {
  setDomainField(domain, ReceiptDomain.state, state);
  setDomainTime(domain, field, at);
}

/** Whether the launch goes on without the domain. */
export function isLost(domain: u32): bool {
  const state = domainState(domain);
  return state == DomainState.failed || state == DomainState.skipped;
}

function isThere(domain: u32): bool {
  const state = domainState(domain);
  return state == DomainState.created || state == DomainState.started;
}

/** Destroys a domain, if it is there; what it is from then on, the receipt keeps. */
export function abandon(domain: u32, state: DomainState): LaunchStatus {
  if (isThere(domain)) {
    const begin = clock();
    const error = destroyDomain(domainField(domain, DomainRecord.domid));
    // Another domain may have destroyed it already.
    if (error != 0 && error != XEN_ESRCH) return statusOf(error);
    setDomainTime(domain, ReceiptDomain.destroyedAt, begin);
  }
  setDomainField(domain, ReceiptDomain.state, state);
  return LaunchStatus.success;
}

/** Leaves nothing behind of a failed launch: destroys what it created, the last domain first. */
export function undo(domains: u32): void {
  const error = receiptField(ReceiptHeader.error);
  for (let domain = domains; domain != 0; domain--) {
    if (isThere(domain - 1)) abandon(domain - 1, DomainState.destroyed);
  }
  setReceiptField(ReceiptHeader.error, error);
}

/** Digests a material the first time, and says what is known of it from then on. */
function verify(material: u32): LaunchStatus {
  if (load<u8>(VERIFIED + material) == 0) {
    const begin = clock();
    const intact = digestOfImageIs(
      materialDigest(material),
      materialField(material, MaterialRecord.offset),
      materialField(material, MaterialRecord.bytes),
    );
    store<u8>(VERIFIED + material, intact ? INTACT : CORRUPT);
    addTime(ReceiptHeader.digestTicks, begin);
  }
  return isVerified(material) ? LaunchStatus.success : LaunchStatus.materialDigest;
}

function isVerified(material: u32): bool {
  return load<u8>(VERIFIED + material) == INTACT;
}
