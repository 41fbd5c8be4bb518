// SPDX-License-Identifier: Apache-2.0
// Executes one operation of an accepted plan on the domain of its step. What an operation needs
// (creation, verification) is checked here; Xen checks the rest.

import {
  DomainRecord,
  MaterialRecord,
  OperationKind,
  OperationRecord,
  PlanHeader,
} from "../../contract/image";
import { DomainState, LaunchStatus, ReceiptHeader } from "../../contract/receipt";
import { XEN_EACCES } from "../../contract/xen-abi";
import { digestOfImageIs, digestOfMemoryIs } from "./digests";
import {
  allocateVcpus,
  clearPages,
  copyPages,
  createDomain,
  destroyDomain,
  dropPrivileges,
  limitMemory,
  policyBytes,
  populate,
  readPolicy,
  setContext,
  setPagingPool,
  startDomain,
} from "./hypercalls";
import { clock } from "./machine";
import { PIECE, PLAN, VERIFIED } from "./memory";
import { domainField, materialDigest, materialField, operationField, planField } from "./plan";
import { addTime, domainState, receiptField, setDomainState, setReceiptField } from "./receipt";

/** Status of a hypercall's errno, which the receipt keeps. */
function statusOf(error: u32): LaunchStatus {
  setReceiptField(ReceiptHeader.error, error);
  return error == 0 ? LaunchStatus.success : LaunchStatus.hypercall;
}

/**
 * Gives up what the plan gives to no domain, before anything that a plan can make go wrong. Xen
 * refuses that of a boot domain that was made for another one.
 */
export function drop(): LaunchStatus {
  const status = statusOf(dropPrivileges(planField(PlanHeader.dropped)));
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
  const material = operationField(operation, OperationRecord.material);
  const frame = operationField(operation, OperationRecord.frame);
  const count = operationField(operation, OperationRecord.count);
  const domid = domainField(domain, DomainRecord.domid);
  const begin = clock();

  if (kind == OperationKind.verify) return verify(material, begin);
  const needed = kind == OperationKind.createDomain ? DomainState.absent : DomainState.created;
  if (domainState(domain) != needed) return LaunchStatus.outOfOrder;

  switch (kind) {
    case OperationKind.createDomain: {
      const error = createDomain(domain, domid);
      if (error == 0) setDomainState(domain, domid, DomainState.created, begin);
      return statusOf(error);
    }
    case OperationKind.allocateVcpus:
      return statusOf(allocateVcpus(domid, domainField(domain, DomainRecord.vcpus)));
    case OperationKind.setPagingPool:
      return statusOf(setPagingPool(domid, domainField(domain, DomainRecord.pagingPoolPages)));
    case OperationKind.limitMemory:
      return statusOf(limitMemory(domid, domainField(domain, DomainRecord.memoryPages)));
    case OperationKind.populate: {
      const order = operationField(operation, OperationRecord.order);
      const error = populate(domid, frame, count, order);
      addTime(ReceiptHeader.populateTicks, begin);
      return statusOf(error);
    }
    case OperationKind.copy: {
      if (!isVerified(material)) return LaunchStatus.outOfOrder;
      const offset =
        materialField(material, MaterialRecord.offset) +
        operationField(operation, OperationRecord.offset);
      const error = copyPages(domid, frame, offset, count);
      addTime(ReceiptHeader.copyTicks, begin);
      return statusOf(error);
    }
    case OperationKind.clear: {
      const error = clearPages(domid, frame, count);
      addTime(ReceiptHeader.clearTicks, begin);
      return statusOf(error);
    }
    case OperationKind.setContext: {
      if (!isVerified(material)) return LaunchStatus.outOfOrder;
      const offset = materialField(material, MaterialRecord.offset);
      const bytes = materialField(material, MaterialRecord.bytes);
      return statusOf(setContext(domid, offset, bytes));
    }
    case OperationKind.start: {
      const error = startDomain(domid);
      if (error == 0) setDomainState(domain, domid, DomainState.started, begin);
      return statusOf(error);
    }
    default:
      return LaunchStatus.planMalformed;
  }
}

/** Leaves nothing behind of a failed launch: destroys what it created, the last domain first. */
export function undo(domains: u32): void {
  for (let domain = domains; domain != 0; domain--) {
    const index = domain - 1;
    if (domainState(index) == DomainState.absent) continue;
    const domid = domainField(index, DomainRecord.domid);
    if (destroyDomain(domid) == 0) setDomainState(index, domid, DomainState.destroyed, 0);
  }
}

function verify(material: u32, begin: u64): LaunchStatus {
  const intact = digestOfImageIs(
    materialDigest(material),
    materialField(material, MaterialRecord.offset),
    materialField(material, MaterialRecord.bytes),
  );
  store<u8>(VERIFIED + material, <u8>intact);
  addTime(ReceiptHeader.digestTicks, begin);
  return intact ? LaunchStatus.success : LaunchStatus.materialDigest;
}

function isVerified(material: u32): bool {
  return load<u8>(VERIFIED + material) != 0;
}
