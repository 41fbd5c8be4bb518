// SPDX-License-Identifier: Apache-2.0
// The order of a launch: runs each step whose guard holds, hears what becomes of the domains, and
// waits only when no step can run. A domain that fails takes those with it that wait for it, or the
// launch, as its plan says.

import { DomainRecord, OnFailure, PlanHeader, Readiness, StepRecord } from "../../contract/image";
import { DomainState, LaunchStatus, ReceiptDomain, ReceiptHeader } from "../../contract/receipt";
import { SHUTDOWN_poweroff, XEN_BOOT_DOMAIN_EVENT_signalled } from "../../contract/xen-abi";
import { heardDomid, heardEvent, heardReason, wait } from "./hypercalls";
import { clock } from "./machine";
import { DONE } from "./memory";
import { abandon, executeOperation, isLost, statusOf } from "./operations";
import { domainField, guardDomain, planField, stepField } from "./plan";
import {
  addTime,
  domainState,
  domainTime,
  keepStep,
  receiptField,
  setDomainField,
  setDomainTime,
  setReceiptField,
} from "./receipt";

/** No step, or no domain. */
const NONE: u32 = u32.MAX_VALUE;
/** A time that never comes. */
const NEVER: u64 = u64.MAX_VALUE;
const NANOSECONDS_PER_MILLISECOND: u64 = 1000000;

/** Runs the accepted plan's steps until none is left and every domain is ready, or one fails. */
export function runSteps(): LaunchStatus {
  let status = LaunchStatus.success;
  while (status == LaunchStatus.success) {
    const step = nextStep(true);
    if (step != NONE) status = runStep(step);
    const limit = earliestLimit();
    if (step == NONE && limit == NEVER) break;
    if (status == LaunchStatus.success && limit != NEVER) status = hear(step == NONE ? limit : 0);
  }
  const isStalled = status == LaunchStatus.success && nextStep(false) != NONE;
  return isStalled ? LaunchStatus.stalled : status;
}

function domainOf(step: u32): u32 {
  return stepField(step, StepRecord.domain);
}

function isDone(step: u32): bool {
  return load<u8>(DONE + step) != 0 || isLost(domainOf(step));
}

/** Whether a step waits for a domain that is lost. */
function guardIsLost(step: u32): bool {
  const first = stepField(step, StepRecord.firstGuard);
  const end = first + stepField(step, StepRecord.guardCount);
  for (let guard = first; guard < end; guard++) {
    if (isLost(guardDomain(guard))) return true;
  }
  return false;
}

function guardHolds(step: u32): bool {
  const after = stepField(step, StepRecord.afterStep);
  const first = stepField(step, StepRecord.firstGuard);
  const end = first + stepField(step, StepRecord.guardCount);
  if (after != 0 && !isDone(after - 1)) return false;
  for (let guard = first; guard < end; guard++) {
    if (domainTime(guardDomain(guard), ReceiptDomain.readyAt) == 0) return false;
  }
  return true;
}

/** The first step that is not done; if it is to run: that can run, or be left out. */
function nextStep(isToRun: bool): u32 {
  const steps = planField(PlanHeader.steps);
  for (let step: u32 = 0; step < steps; step++) {
    if (isDone(step)) continue;
    if (!isToRun || guardIsLost(step) || guardHolds(step)) return step;
  }
  return NONE;
}

/** Runs a step's operations, or leaves its domain out. */
function runStep(step: u32): LaunchStatus {
  const domain = domainOf(step);
  if (guardIsLost(step)) return abandon(domain, DomainState.skipped);
  const begin = clock();
  let status = LaunchStatus.success;
  let operation = stepField(step, StepRecord.firstOperation);
  const end = operation + stepField(step, StepRecord.operationCount);
  while (status == LaunchStatus.success && operation < end) {
    status = executeOperation(operation, domain);
    operation++;
  }
  keepStep(step, begin);
  store<u8>(DONE + step, 1);
  return status == LaunchStatus.success ? status : fail(domain, status, step + 1, operation);
}

/** The domain has failed, in a step's operation (numbers from 1) or in none: the launch goes on or not. */
function fail(domain: u32, status: LaunchStatus, step: u32, operation: u32): LaunchStatus {
  setDomainField(domain, ReceiptDomain.status, status);
  setDomainField(domain, ReceiptDomain.operation, operation);
  setDomainField(domain, ReceiptDomain.error, receiptField(ReceiptHeader.error));
  if (domainField(domain, DomainRecord.onFailure) == <u32>OnFailure.goOn) {
    setReceiptField(ReceiptHeader.error, 0);
    return abandon(domain, DomainState.failed);
  }
  setReceiptField(ReceiptHeader.step, step);
  setReceiptField(ReceiptHeader.operation, operation);
  setReceiptField(ReceiptHeader.domain, domain + 1);
  return status;
}

function isAwaited(domain: u32): bool {
  const isReady = domainTime(domain, ReceiptDomain.readyAt) != 0;
  return domainState(domain) == DomainState.started && !isReady;
}

/** When the domain is late, if it is not ready by then. */
function limitOf(domain: u32): u64 {
  const within: u64 = domainField(domain, DomainRecord.readyWithin);
  const ticks = within * receiptField(ReceiptHeader.clockKilohertz);
  return domainTime(domain, ReceiptDomain.startedAt) + ticks;
}

/** When the first domain is late, of those that are awaited; NEVER if none is. */
function earliestLimit(): u64 {
  const domains = planField(PlanHeader.domains);
  let earliest = NEVER;
  for (let domain: u32 = 0; domain < domains; domain++) {
    if (isAwaited(domain)) earliest = min<u64>(earliest, limitOf(domain));
  }
  return earliest;
}

/** Every domain that is late has failed. */
function endLate(): LaunchStatus {
  const domains = planField(PlanHeader.domains);
  const now = clock();
  let status = LaunchStatus.success;
  for (let domain: u32 = 0; status == LaunchStatus.success && domain < domains; domain++) {
    if (isAwaited(domain) && limitOf(domain) <= now) status = fail(domain, LaunchStatus.late, 0, 0);
  }
  return status;
}

/**
 * Waits until this time, or for news, and then takes in all that there is; 0: without waiting. Who is
 * late then has failed.
 */
function hear(limit: u64): LaunchStatus {
  const kilohertz: u64 = max<u32>(receiptField(ReceiptHeader.clockKilohertz), 1);
  let status = LaunchStatus.success;
  let isMore = true;
  while (status == LaunchStatus.success && isMore) {
    const begin = clock();
    const milliseconds = limit > begin ? (limit - begin) / kilohertz + 1 : 0;
    status = statusOf(wait(milliseconds * NANOSECONDS_PER_MILLISECOND));
    if (milliseconds != 0) addTime(ReceiptHeader.waitTicks, begin);
    // What came during a sleep is told by the next one; and taking in makes hypercalls of its own.
    isMore = milliseconds != 0 || heardEvent() != 0;
    if (status == LaunchStatus.success && heardEvent() != 0) status = takeIn();
    limit = 0;
  }
  return status == LaunchStatus.success ? endLate() : status;
}

/** Takes in what wait() has heard. */
function takeIn(): LaunchStatus {
  const domain = startedDomain(heardDomid());
  if (domain == NONE) return LaunchStatus.success;
  const now = clock();
  const readiness = domainField(domain, DomainRecord.readiness);
  if (heardEvent() == XEN_BOOT_DOMAIN_EVENT_signalled) {
    setDomainTime(domain, ReceiptDomain.signalledAt, now);
    if (readiness == <u32>Readiness.signalled) setDomainTime(domain, ReceiptDomain.readyAt, now);
    return LaunchStatus.success;
  }
  setDomainTime(domain, ReceiptDomain.endedAt, now);
  setDomainField(domain, ReceiptDomain.endReason, heardReason());
  if (domainTime(domain, ReceiptDomain.readyAt) != 0) return LaunchStatus.success;
  const hasSignalled = domainTime(domain, ReceiptDomain.signalledAt) != 0;
  if (readiness != <u32>Readiness.finished || !hasSignalled || heardReason() != SHUTDOWN_poweroff) {
    return fail(domain, LaunchStatus.ended, 0, 0);
  }
  setDomainTime(domain, ReceiptDomain.readyAt, now);
  return abandon(domain, DomainState.finished);
}

/** Index of the started domain with this domid. */
function startedDomain(domid: u32): u32 {
  const domains = planField(PlanHeader.domains);
  for (let domain: u32 = 0; domain < domains; domain++) {
    const isIt = domainField(domain, DomainRecord.domid) == domid;
    if (isIt && domainState(domain) == DomainState.started) return domain;
  }
  return NONE;
}
