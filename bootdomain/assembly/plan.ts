// SPDX-License-Identifier: Apache-2.0
// Where the plan's tables lie, and its fields. Only what image.ts and bounds.ts have accepted is
// read through here.

import {
  DomainRecord,
  GUARD_BYTES,
  MaterialRecord,
  OperationRecord,
  PlanHeader,
  StepRecord,
} from "../../contract/image";
import { PAGE_SIZE } from "../../contract/limits";
import { PLAN } from "./memory";

/** Reads a field of the plan's header. */
export function planField(field: PlanHeader): u32 {
  return load<u32>(PLAN + <u32>field);
}

function domainTable(): u32 {
  return PLAN + <u32>PlanHeader.size;
}

function materialTable(): u32 {
  return domainTable() + planField(PlanHeader.domains) * <u32>DomainRecord.size;
}

function stepTable(): u32 {
  return materialTable() + planField(PlanHeader.materials) * <u32>MaterialRecord.size;
}

function guardTable(): u32 {
  return stepTable() + planField(PlanHeader.steps) * <u32>StepRecord.size;
}

function operationTable(): u32 {
  return guardTable() + planField(PlanHeader.guards) * GUARD_BYTES;
}

/** Address of the plan's end, as its counts say. */
export function planEnd(): u32 {
  return operationTable() + planField(PlanHeader.operations) * <u32>OperationRecord.size;
}

/** Reads a field of the domain with this index. */
export function domainField(domain: u32, field: DomainRecord): u32 {
  return load<u32>(domainTable() + domain * <u32>DomainRecord.size + <u32>field);
}

/** Address of the name of the domain with this index. */
export function domainName(domain: u32): u32 {
  return domainTable() + domain * <u32>DomainRecord.size + <u32>DomainRecord.name;
}

/** Address of the label of the domain with this index. */
export function domainLabel(domain: u32): u32 {
  return domainTable() + domain * <u32>DomainRecord.size + <u32>DomainRecord.label;
}

/** Reads a field of the material with this index. */
export function materialField(material: u32, field: MaterialRecord): u32 {
  return load<u32>(materialTable() + material * <u32>MaterialRecord.size + <u32>field);
}

/** Address of the digest of the material with this index. */
export function materialDigest(material: u32): u32 {
  return materialTable() + material * <u32>MaterialRecord.size + <u32>MaterialRecord.digest;
}

/** Pages of the material with this index, the last one perhaps in part. */
export function materialPages(material: u32): u32 {
  return (materialField(material, MaterialRecord.bytes) + PAGE_SIZE - 1) / PAGE_SIZE;
}

/** Reads a field of the step with this index. */
export function stepField(step: u32, field: StepRecord): u32 {
  return load<u32>(stepTable() + step * <u32>StepRecord.size + <u32>field);
}

/** Index of the domain that the guard with this index is for. */
export function guardDomain(guard: u32): u32 {
  return load<u32>(guardTable() + guard * GUARD_BYTES);
}

/** Reads a field of the operation with this index. */
export function operationField(operation: u32, field: OperationRecord): u32 {
  return load<u32>(operationTable() + operation * <u32>OperationRecord.size + <u32>field);
}
