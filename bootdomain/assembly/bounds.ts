// SPDX-License-Identifier: Apache-2.0
// Accepts a plan: every number in it within its bounds, before the first operation runs. After
// this no address that is computed from the plan can lie outside image or table.

import {
  DomainRecord,
  ImageHeader,
  MaterialRecord,
  OnFailure,
  OperationKind,
  OperationRecord,
  PlanHeader,
  Readiness,
  StepRecord,
} from "../../contract/image";
import {
  MAX_CONTEXT_BYTES,
  MAX_DOMAINS,
  MAX_DOMID,
  MAX_FRAME,
  MAX_GUARDS,
  MAX_MATERIALS,
  MAX_MEMORY_PAGES,
  MAX_OPERATIONS,
  MAX_ORDER,
  MAX_PAGING_POOL_PAGES,
  MAX_POLICY_BYTES,
  MAX_PORT,
  MAX_READY_WITHIN,
  MAX_STEPS,
  MAX_VCPUS,
  MAX_WORK,
  NAME_BYTES,
  PAGE_SIZE,
} from "../../contract/limits";
import { LaunchStatus, ReceiptHeader } from "../../contract/receipt";
import { headerField, PLAN } from "./memory";
import {
  domainField,
  domainName,
  guardDomain,
  materialField,
  materialPages,
  operationField,
  planEnd,
  planField,
  stepField,
} from "./plan";
import { setReceiptField } from "./receipt";

/** Whether the plan in linear memory may run; the receipt tells the step or operation if not. */
export function acceptPlan(): LaunchStatus {
  const domains = planField(PlanHeader.domains);
  const materials = planField(PlanHeader.materials);
  const steps = planField(PlanHeader.steps);
  const operations = planField(PlanHeader.operations);
  const guards = planField(PlanHeader.guards);
  if (
    domains > <u32>MAX_DOMAINS ||
    materials > <u32>MAX_MATERIALS ||
    steps > <u32>MAX_STEPS ||
    operations > <u32>MAX_OPERATIONS ||
    guards > <u32>MAX_GUARDS ||
    planField(PlanHeader.policyBytes) > <u32>MAX_POLICY_BYTES ||
    planEnd() - PLAN != headerField(ImageHeader.planBytes)
  ) {
    return LaunchStatus.planMalformed;
  }
  for (let domain: u32 = 0; domain < domains; domain++) {
    if (!domainIsBounded(domain)) {
      setReceiptField(ReceiptHeader.domain, domain + 1);
      return LaunchStatus.planMalformed;
    }
  }
  for (let material: u32 = 0; material < materials; material++) {
    if (!materialIsBounded(material)) return LaunchStatus.planMalformed;
  }
  for (let operation: u32 = 0; operation < operations; operation++) {
    if (!operationIsBounded(operation, materials, domains)) {
      setReceiptField(ReceiptHeader.operation, operation + 1);
      return LaunchStatus.planMalformed;
    }
  }
  for (let guard: u32 = 0; guard < guards; guard++) {
    if (guardDomain(guard) >= domains) return LaunchStatus.planMalformed;
  }
  let work: u32 = 0;
  for (let step: u32 = 0; step < steps; step++) {
    const count = stepField(step, StepRecord.operationCount);
    const first = stepField(step, StepRecord.firstOperation);
    const guardCount = stepField(step, StepRecord.guardCount);
    if (
      stepField(step, StepRecord.domain) >= domains ||
      stepField(step, StepRecord.afterStep) > steps ||
      !within(count, 1, operations) ||
      first > operations - count ||
      guardCount > guards ||
      stepField(step, StepRecord.firstGuard) > guards - guardCount
    ) {
      setReceiptField(ReceiptHeader.step, step + 1);
      return LaunchStatus.planMalformed;
    }
    work += count;
  }
  return work > <u32>MAX_WORK ? LaunchStatus.planMalformed : LaunchStatus.success;
}

function within(value: u32, least: u32, most: u32): bool {
  return value >= least && value <= most;
}

function domainIsBounded(domain: u32): bool {
  return (
    nameIsBounded(domainName(domain)) &&
    within(domainField(domain, DomainRecord.domid), 0, MAX_DOMID) &&
    within(domainField(domain, DomainRecord.vcpus), 1, MAX_VCPUS) &&
    within(domainField(domain, DomainRecord.memoryPages), 1, MAX_MEMORY_PAGES) &&
    within(domainField(domain, DomainRecord.pagingPoolPages), 1, MAX_PAGING_POOL_PAGES) &&
    within(domainField(domain, DomainRecord.readiness), 0, Readiness.finished) &&
    within(domainField(domain, DomainRecord.readyWithin), 0, MAX_READY_WITHIN) &&
    within(domainField(domain, DomainRecord.onFailure), 0, OnFailure.recover)
  );
}

/** Printable ASCII without spaces, at least one character, then zero bytes to the end. */
function nameIsBounded(name: u32): bool {
  let length: u32 = 0;
  while (length < <u32>NAME_BYTES && within(load<u8>(name + length), 0x21, 0x7e)) length++;
  if (length == 0 || length == NAME_BYTES) return false;
  while (length < <u32>NAME_BYTES && load<u8>(name + length) == 0) length++;
  return length == NAME_BYTES;
}

function materialIsBounded(material: u32): bool {
  const imageBytes = headerField(ImageHeader.imageBytes);
  const offset = materialField(material, MaterialRecord.offset);
  return (
    offset % PAGE_SIZE == 0 &&
    offset <= imageBytes &&
    within(materialField(material, MaterialRecord.bytes), 1, imageBytes) &&
    materialPages(material) <= (imageBytes - offset) / PAGE_SIZE &&
    materialField(material, MaterialRecord.reserved) == 0
  );
}

/** Whether `count` pages from `frame`, at least one, lie below MAX_FRAME. */
function framesAreBounded(frame: u32, count: u32): bool {
  return within(count, 1, MAX_FRAME) && frame <= <u32>MAX_FRAME - count;
}

function operationIsBounded(operation: u32, materials: u32, domains: u32): bool {
  const kind = operationField(operation, OperationRecord.kind);
  const material = operationField(operation, OperationRecord.material);
  const offset = operationField(operation, OperationRecord.offset);
  const frame = operationField(operation, OperationRecord.frame);
  const count = operationField(operation, OperationRecord.count);
  const order = operationField(operation, OperationRecord.order);
  const peer = operationField(operation, OperationRecord.peer);
  const port = operationField(operation, OperationRecord.port);
  if (!within(kind, OperationKind.verify, OperationKind.moveCpu)) return false;
  if (kind == OperationKind.populate) {
    return (
      order <= <u32>MAX_ORDER &&
      count <= <u32>MAX_FRAME >> order &&
      framesAreBounded(frame, count << order)
    );
  }
  if (kind == OperationKind.clear) return framesAreBounded(frame, count);
  if (kind == OperationKind.verify) return material < materials;
  if (kind == OperationKind.openSignal) return port <= <u32>MAX_PORT;
  if (kind == OperationKind.openChannel) return peer < domains && port <= <u32>MAX_PORT;
  if (kind == OperationKind.grant) return peer < domains && framesAreBounded(frame, count);
  if (kind == OperationKind.setContext) {
    return (
      material < materials &&
      materialField(material, MaterialRecord.bytes) <= <u32>MAX_CONTEXT_BYTES
    );
  }
  if (kind == OperationKind.copy) {
    return (
      material < materials &&
      framesAreBounded(frame, count) &&
      count <= materialPages(material) &&
      offset % PAGE_SIZE == 0 &&
      offset / PAGE_SIZE <= materialPages(material) - count
    );
  }
  return true;
}
