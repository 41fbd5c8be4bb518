// SPDX-License-Identifier: Apache-2.0
// Executes one operation of an accepted plan on the domain of its step. What an operation needs
// (creation, verification, mapping) is checked here; Xen checks the rest.

import { DomainRecord, MaterialRecord, OperationKind, OperationRecord } from "../../contract/image";
import { PAGE_SIZE } from "../../contract/limits";
import { DomainState, LaunchStatus, ReceiptHeader } from "../../contract/receipt";
import { digestOfImageIs } from "./digests";
import {
  allocateVcpus,
  createDomain,
  destroyDomain,
  limitMemory,
  mapFrames,
  populate,
  setContext,
  setPagingPool,
  startDomain,
  unmapFrames,
} from "./hypercalls";
import { clock, windowClear, windowCopy } from "./machine";
import { VERIFIED } from "./memory";
import { domainField, materialDigest, materialField, operationField } from "./plan";
import { addTime, domainState, setDomainState, setReceiptField } from "./receipt";

/** First gfn that is mapped, and how many are: of one domain, the one whose step it is. */
let mappedFrame: u32 = 0;
let mappedPages: u32 = 0;

/** Whether nothing is mapped. */
export function nothingIsMapped(): bool {
  return mappedPages == 0;
}

/** Status of a hypercall's errno, which the receipt keeps. */
function statusOf(error: u32): LaunchStatus {
  setReceiptField(ReceiptHeader.error, error);
  return error == 0 ? LaunchStatus.success : LaunchStatus.hypercall;
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
      if (error == 0) setDomainState(domain, domid, DomainState.created);
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
      return statusOf(populate(domid, frame, count, order));
    }
    case OperationKind.map: {
      if (mappedPages != 0) return LaunchStatus.outOfOrder;
      mappedFrame = frame;
      mappedPages = count;
      const status = statusOf(mapFrames(domid, frame, count));
      addTime(ReceiptHeader.mapTicks, begin);
      return status;
    }
    case OperationKind.copy: {
      if (!isMapped(frame, count) || !isVerified(material)) return LaunchStatus.outOfOrder;
      copy(material, operationField(operation, OperationRecord.offset), frame, count);
      addTime(ReceiptHeader.copyTicks, begin);
      return LaunchStatus.success;
    }
    case OperationKind.clear: {
      if (!isMapped(frame, count)) return LaunchStatus.outOfOrder;
      windowClear((frame - mappedFrame) * PAGE_SIZE, count * PAGE_SIZE);
      addTime(ReceiptHeader.clearTicks, begin);
      return LaunchStatus.success;
    }
    case OperationKind.unmap: {
      const status = statusOf(unmapFrames(mappedPages));
      mappedPages = 0;
      addTime(ReceiptHeader.mapTicks, begin);
      return status;
    }
    case OperationKind.setContext: {
      if (!isVerified(material)) return LaunchStatus.outOfOrder;
      const offset = materialField(material, MaterialRecord.offset);
      const bytes = materialField(material, MaterialRecord.bytes);
      return statusOf(setContext(domid, offset, bytes));
    }
    case OperationKind.start: {
      if (mappedPages != 0) return LaunchStatus.outOfOrder;
      const error = startDomain(domid);
      if (error == 0) setDomainState(domain, domid, DomainState.started);
      return statusOf(error);
    }
    default:
      return LaunchStatus.planMalformed;
  }
}

/** Leaves nothing behind of a failed launch: no mapping, and no domain, the last one first. */
export function undo(domains: u32): void {
  unmapFrames(mappedPages);
  mappedPages = 0;
  for (let domain = domains; domain != 0; domain--) {
    const index = domain - 1;
    if (domainState(index) == DomainState.absent) continue;
    const domid = domainField(index, DomainRecord.domid);
    if (destroyDomain(domid) == 0) setDomainState(index, domid, DomainState.destroyed);
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

function isMapped(frame: u32, count: u32): bool {
  return frame >= mappedFrame && frame + count <= mappedFrame + mappedPages;
}

/** Copies whole pages; what lies past the material's end is filled with zeros. */
function copy(material: u32, offset: u32, frame: u32, count: u32): void {
  const window = (frame - mappedFrame) * PAGE_SIZE;
  const room = count * PAGE_SIZE;
  const bytes = min<u32>(room, materialField(material, MaterialRecord.bytes) - offset);
  windowCopy(window, materialField(material, MaterialRecord.offset) + offset, bytes);
  windowClear(window + bytes, room - bytes);
}
