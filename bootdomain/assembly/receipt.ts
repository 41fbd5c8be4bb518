// SPDX-License-Identifier: Apache-2.0
// The launch receipt, kept in its final form from the first moment: it is also the executor's own
// record of what it has created, started and heard. The last part is that of the plan that runs.

import { DomainRecord, PlanHeader } from "../../contract/image";
import { DIGEST_BYTES, NAME_BYTES } from "../../contract/limits";
import {
  DomainState,
  LaunchStatus,
  RECEIPT_MAGIC,
  RECEIPT_VERSION,
  ReceiptDomain,
  ReceiptHeader,
  ReceiptStep,
  STEPS_PER_LINE,
} from "../../contract/receipt";
import { endLine, writeHexadecimal, writeName, writeNumber, writeText } from "./console";
import { clock } from "./machine";
import { DIGEST, RECEIPT } from "./memory";
import { domainField, domainName, planField } from "./plan";

/** Address of the last part. */
let part: u32 = RECEIPT;

/** Reads a 32-bit field of the last part's header. */
export function receiptField(field: ReceiptHeader): u32 {
  return load<u32>(part + <u32>field);
}

/** Sets a 32-bit field of the last part's header. */
export function setReceiptField(field: ReceiptHeader, value: u32): void {
  store<u32>(part + <u32>field, value);
}

/** Adds the time since `since` to one of the last part's times. */
export function addTime(field: ReceiptHeader, since: u64): void {
  store<u64>(part + <u32>field, load<u64>(part + <u32>field) + clock() - since);
}

function domainRecord(domain: u32): u32 {
  return part + <u32>ReceiptHeader.size + domain * <u32>ReceiptDomain.size;
}

function stepRecord(step: u32): u32 {
  const end = domainRecord(receiptField(ReceiptHeader.domains));
  return end + step * <u32>ReceiptStep.size;
}

function partEnd(): u32 {
  return stepRecord(receiptField(ReceiptHeader.steps));
}

/** Size of the receipt in bytes. */
export function receiptBytes(): u32 {
  return partEnd() - RECEIPT;
}

/** Begins the first part. */
export function beginReceipt(clockKilohertz: u32): void {
  setReceiptField(ReceiptHeader.magic, RECEIPT_MAGIC);
  setReceiptField(ReceiptHeader.version, RECEIPT_VERSION);
  setReceiptField(ReceiptHeader.clockKilohertz, clockKilohertz);
  addTime(ReceiptHeader.beganAt, 0);
}

/** Begins another part. */
export function addPart(): void {
  const clockKilohertz = receiptField(ReceiptHeader.clockKilohertz);
  part = partEnd();
  beginReceipt(clockKilohertz);
}

/** Leaves the other part away again. */
export function dropPart(): void {
  setReceiptField(ReceiptHeader.magic, 0);
  part = RECEIPT;
}

/** Makes the records of the accepted plan's domains and steps. */
export function beginRecords(): void {
  const domains = planField(PlanHeader.domains);
  setReceiptField(ReceiptHeader.domains, domains);
  setReceiptField(ReceiptHeader.steps, planField(PlanHeader.steps));
  for (let domain: u32 = 0; domain < domains; domain++) {
    setDomainField(domain, ReceiptDomain.domid, domainField(domain, DomainRecord.domid));
    const name = domainRecord(domain) + <u32>ReceiptDomain.name;
    copy(name, domainName(domain), NAME_BYTES);
  }
}

/** Copies `bytes` bytes, a multiple of 8, between places that do not overlap. */
function copy(to: u32, from: u32, bytes: u32): void {
  for (let at: u32 = 0; at < bytes; at += 8) store<u64>(to + at, load<u64>(from + at));
}

/** Keeps the plan's digest, which lies in DIGEST. */
export function keepPlanDigest(): void {
  copy(part + <u32>ReceiptHeader.planDigest, DIGEST, DIGEST_BYTES);
}

/** State of a domain. */
export function domainState(domain: u32): DomainState {
  return load<u32>(domainRecord(domain) + <u32>ReceiptDomain.state);
}

/** Sets a 32-bit field of a domain's record. */
export function setDomainField(domain: u32, field: ReceiptDomain, value: u32): void {
  store<u32>(domainRecord(domain) + <u32>field, value);
}

/** Reads one of a domain's times. */
export function domainTime(domain: u32, field: ReceiptDomain): u64 {
  return load<u64>(domainRecord(domain) + <u32>field);
}

/** Sets one of a domain's times. */
export function setDomainTime(domain: u32, field: ReceiptDomain, at: u64): void {
  store<u64>(domainRecord(domain) + <u32>field, at);
}

/** Keeps when a step ran, until now. */
export function keepStep(step: u32, beganAt: u64): void {
  store<u64>(stepRecord(step) + <u32>ReceiptStep.beganAt, beganAt);
  store<u64>(stepRecord(step) + <u32>ReceiptStep.endedAt, clock());
}

/**
 * Ends the last part, and shows it: a line for each domain, one for some steps each, one for the plan,
 * one for the launch. Xen breaks lines of more than some 250 characters.
 */
export function endReceipt(status: LaunchStatus): void {
  setReceiptField(ReceiptHeader.status, status);
  addTime(ReceiptHeader.endedAt, 0);
  for (let domain: u32 = 0; domain < receiptField(ReceiptHeader.domains); domain++) {
    showDomain(domain);
  }
  const steps = receiptField(ReceiptHeader.steps);
  for (let step: u32 = 0; step < steps; step += <u32>STEPS_PER_LINE) {
    writeNumber("domb: steps from ", step + 1);
    writeText(" times");
    showTimes(stepRecord(step), 0, min<u32>(steps - step, STEPS_PER_LINE) * <u32>ReceiptStep.size);
  }
  if (receiptField(ReceiptHeader.verifiedBy) == 0) {
    writeText("domb: NOT VERIFIED: no trusted key has signed this launch");
    endLine();
  }
  writeNumber("domb: plan verified ", receiptField(ReceiptHeader.verifiedBy));
  writeNumber(" version ", receiptField(ReceiptHeader.launchVersion));
  writeNumber(" kHz ", receiptField(ReceiptHeader.clockKilohertz));
  writeText(" digest ");
  writeHexadecimal(part + <u32>ReceiptHeader.planDigest, DIGEST_BYTES);
  endLine();
  writeNumber("domb: launch status ", status);
  writeNumber(" step ", receiptField(ReceiptHeader.step));
  writeNumber(" operation ", receiptField(ReceiptHeader.operation));
  writeNumber(" domain ", receiptField(ReceiptHeader.domain));
  writeNumber(" error ", receiptField(ReceiptHeader.error));
  writeText(" times");
  showTimes(part, <u32>ReceiptHeader.beganAt, <u32>ReceiptHeader.planDigest);
}

function showDomain(domain: u32): void {
  const record = domainRecord(domain);
  writeNumber("domb: domain ", domain + 1);
  writeText(" ");
  writeName(record + <u32>ReceiptDomain.name);
  writeNumber(" d", load<u32>(record + <u32>ReceiptDomain.domid));
  const state = domainState(domain);
  if (state == DomainState.absent) writeText(" absent");
  if (state == DomainState.created) writeText(" created");
  if (state == DomainState.started) writeText(" started");
  if (state == DomainState.destroyed) writeText(" destroyed");
  if (state == DomainState.failed) writeText(" failed");
  if (state == DomainState.skipped) writeText(" skipped");
  if (state == DomainState.finished) writeText(" finished");
  writeNumber(" reason ", load<u32>(record + <u32>ReceiptDomain.endReason));
  writeNumber(" status ", load<u32>(record + <u32>ReceiptDomain.status));
  writeNumber(" operation ", load<u32>(record + <u32>ReceiptDomain.operation));
  writeNumber(" error ", load<u32>(record + <u32>ReceiptDomain.error));
  writeText(" times");
  showTimes(record, <u32>ReceiptDomain.createdAt, <u32>ReceiptDomain.endReason);
}

/** Ends a line with the times of a record from one field to another. */
function showTimes(record: u32, from: u32, to: u32): void {
  for (; from < to; from += 8) writeNumber(" ", load<u64>(record + from));
  endLine();
}
