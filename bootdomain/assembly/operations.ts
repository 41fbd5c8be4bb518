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
import { XEN_EACCES } from "../../contract/xen-abi";
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
  setDomainState,
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
  const status = statusOf(
    dropPrivileges(
      planField(PlanHeader.dropped),
      planField(PlanHeader.reservedPrivileges),
      planField(PlanHeader.reservedPages),
    ),
  );
  const another = receiptField(ReceiptHeader.error) == XEN_EACCES;
  return another ? LaunchStatus.imageTarget : status;
}

/** Accepts the FLASK policy that Xen enforces, if the plan is for one. */
export function acceptPolicy(): LaunchStatus {
  const bytes = planField(PlanHeader.policyBytes);
  if (bytes == 0) return LaunchStatus.success;
  const error = readPolicy();
  setReceiptField(ReceiptHeader.error, error);
  const isIt =
    error == 0 &&
    policyBytes() == bytes &&
    digestOfMemoryIs(PLAN + <u32>PlanHeader.policyDigest, PIECE, bytes);
  return isIt ? LaunchStatus.success : LaunchStatus.policy;
}

/** Executes the operation with this index on the domain with that index. */
export function executeOperation(operation: u32, domain: u32): LaunchStatus {
  const kind: OperationKind = operationField(operation, OperationRecord.kind);
  if (kind == OperationKind.verify) {
    return verify(operationField(operation, OperationRecord.material));
  }
  if (kind == OperationKind.createPool) {
    const scheduler = operationField(operation, OperationRecord.scheduler);
    return statusOf(createPool(operationField(operation, OperationRecord.pool), scheduler));
  }
  if (kind == OperationKind.moveCpu) {
    const cpu = operationField(operation, OperationRecord.cpu);
    return statusOf(moveCpu(operationField(operation, OperationRecord.pool), cpu));
  }
  const needed = kind == OperationKind.createDomain ? DomainState.absent : DomainState.created;
  if (domainState(domain) != needed) return LaunchStatus.outOfOrder;
  const domid = domainField(domain, DomainRecord.domid);
  switch (kind) {
    case OperationKind.populate:
    case OperationKind.copy:
    case OperationKind.clear:
      return fill(kind, operation, domid);
    case OperationKind.openChannel:
    case OperationKind.grant:
      return link(kind, operation, domid);
    case OperationKind.createDomain: {
      const begin = clock();
      const error = createDomain(domain, domid);
      if (error == 0) {
        setDomainState(domain, DomainState.created);
        setDomainTime(domain, ReceiptDomain.createdAt, begin);
      }
      return statusOf(error);
    }
    case OperationKind.allocateVcpus:
      return statusOf(allocateVcpus(domid, domainField(domain, DomainRecord.vcpus)));
    case OperationKind.setPagingPool:
      return statusOf(setPagingPool(domid, domainField(domain, DomainRecord.pagingPoolPages)));
    case OperationKind.limitMemory:
      return statusOf(limitMemory(domid, domainField(domain, DomainRecord.memoryPages)));
    case OperationKind.setAffinity:
      return statusOf(
        setAffinity(
          domid,
          operationField(operation, OperationRecord.vcpu),
          operationField(operation, OperationRecord.lowCpus),
          operationField(operation, OperationRecord.highCpus),
        ),
      );
    case OperationKind.setShare:
      return statusOf(
        setShare(
          domid,
          operationField(operation, OperationRecord.scheduler),
          operationField(operation, OperationRecord.weight),
          operationField(operation, OperationRecord.cap),
        ),
      );
    case OperationKind.openSignal: {
      const port = operationField(operation, OperationRecord.port);
      return statusOf(openChannel(BOOT_DOMID, domid, port));
    }
    case OperationKind.setContext: {
      const material = operationField(operation, OperationRecord.material);
      if (!isVerified(material)) return LaunchStatus.outOfOrder;
      const offset = materialField(material, MaterialRecord.offset);
      return statusOf(setContext(domid, offset, materialField(material, MaterialRecord.bytes)));
    }
    case OperationKind.start: {
      const begin = clock();
      const error = startDomain(domid);
      if (error == 0) {
        setDomainState(domain, DomainState.started);
        setDomainTime(domain, ReceiptDomain.startedAt, begin);
        if (domainField(domain, DomainRecord.readiness) == <u32>Readiness.started) {
          setDomainTime(domain, ReceiptDomain.readyAt, begin);
        }
      }
      return statusOf(error);
    }
    default:
      return LaunchStatus.planMalformed;
  }
}

/** Gives memory to a domain, or fills it; the receipt tells the time that each kind takes. */
function fill(kind: OperationKind, operation: u32, domid: u32): LaunchStatus {
  const frame = operationField(operation, OperationRecord.frame);
  const count = operationField(operation, OperationRecord.count);
  const begin = clock();
  let ticks = ReceiptHeader.populateTicks;
  let error: u32;
  if (kind == OperationKind.populate) {
    error = populate(domid, frame, count, operationField(operation, OperationRecord.order));
  } else if (kind == OperationKind.clear) {
    error = clearPages(domid, frame, count);
    ticks = ReceiptHeader.clearTicks;
  } else {
    const material = operationField(operation, OperationRecord.material);
    if (!isVerified(material)) return LaunchStatus.outOfOrder;
    const offset =
      materialField(material, MaterialRecord.offset) +
      operationField(operation, OperationRecord.offset);
    error = copyPages(domid, frame, offset, count);
    ticks = ReceiptHeader.copyTicks;
  }
  addTime(ticks, begin);
  return statusOf(error);
}

/** Makes a link with another domain; none with one that the launch goes on without. */
function link(kind: OperationKind, operation: u32, domid: u32): LaunchStatus {
  const peer = operationField(operation, OperationRecord.peer);
  if (domainState(peer) != DomainState.created) return LaunchStatus.success;
  const remote = domainField(peer, DomainRecord.domid);
  if (kind == OperationKind.openChannel) {
    return statusOf(openChannel(domid, remote, operationField(operation, OperationRecord.port)));
  }
  return statusOf(
    grantPages(
      domid,
      remote,
      operationField(operation, OperationRecord.reference),
      operationField(operation, OperationRecord.frame),
      operationField(operation, OperationRecord.count),
      operationField(operation, OperationRecord.readOnly),
    ),
  );
}

/** Destroys a domain, if it is there; what it is from then on, the receipt keeps. */
export function abandon(domain: u32, state: DomainState): LaunchStatus {
  const found = domainState(domain);
  if (found == DomainState.created || found == DomainState.started) {
    const begin = clock();
    const error = destroyDomain(domainField(domain, DomainRecord.domid));
    if (error != 0) return statusOf(error);
    setDomainTime(domain, ReceiptDomain.destroyedAt, begin);
  }
  setDomainState(domain, state);
  return LaunchStatus.success;
}

/** Leaves nothing behind of a failed launch: destroys what it created, the last domain first. */
export function undo(domains: u32): void {
  const error = receiptField(ReceiptHeader.error);
  for (let domain = domains; domain != 0; domain--) {
    const state = domainState(domain - 1);
    if (state == DomainState.created || state == DomainState.started) {
      abandon(domain - 1, DomainState.destroyed);
    }
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
