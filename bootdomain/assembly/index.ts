// SPDX-License-Identifier: Apache-2.0
// The boot domain: accepts the main plan of an image, or else its recovery plan, runs it, undoes
// what it made if that fails, and exits with a status. Every image, whatever its bytes, comes to
// that exit; work is bounded by the plan.

import { MAIN_HEADER, PlanHeader, RECOVERY_HEADER, StepRecord } from "../../contract/image";
import { LaunchStatus, ReceiptHeader } from "../../contract/receipt";
import { acceptPlan } from "./bounds";
import { exitBootServices, placeMemory } from "./hypercalls";
import { acceptImage } from "./image";
import { DONE, RECEIPT } from "./memory";
import { acceptPolicy, drop, executeOperation, undo } from "./operations";
import { planField, stepField } from "./plan";
import { beginReceipt, endReceipt, receiptField, setReceiptField } from "./receipt";

/** Address of the receipt in linear memory. */
export function receipt(): u32 {
  return RECEIPT;
}

/**
 * Launches. `memoryBase` is linear memory's virtual address, `imageFrame` the image's first gfn,
 * `moduleBytes` the size of the boot module with the image, `clockKilohertz` the clock's ticks a
 * millisecond, `machine` the architecture as in ImageHeader. Returns only if Xen refuses the exit.
 */
export function launch(
  memoryBase: u64,
  imageFrame: u64,
  moduleBytes: u32,
  clockKilohertz: u32,
  machine: u32,
): void {
  beginReceipt(clockKilohertz);
  placeMemory(memoryBase, imageFrame);
  let status = accept(MAIN_HEADER, moduleBytes, machine);
  if (status != LaunchStatus.success) status = recover(status, moduleBytes, machine);
  if (status == LaunchStatus.success) status = drop();
  if (status == LaunchStatus.success) status = acceptPolicy();
  if (status == LaunchStatus.success) status = runSteps();
  if (status != LaunchStatus.success) undo(receiptField(ReceiptHeader.domains));
  endReceipt(status);
  exitBootServices(status);
}

/** Accepts the plan of the header at this offset. */
function accept(header: u32, moduleBytes: u32, machine: u32): LaunchStatus {
  const status = acceptImage(header, moduleBytes, machine);
  return status == LaunchStatus.success ? acceptPlan() : status;
}

/** Accepts the recovery plan in place of a main plan that was refused, whose status stays else. */
function recover(refusal: LaunchStatus, moduleBytes: u32, machine: u32): LaunchStatus {
  if (accept(RECOVERY_HEADER, moduleBytes, machine) != LaunchStatus.success) return refusal;
  setReceiptField(ReceiptHeader.recoveredFrom, refusal);
  setReceiptField(ReceiptHeader.step, 0);
  setReceiptField(ReceiptHeader.operation, 0);
  setReceiptField(ReceiptHeader.domain, 0);
  return LaunchStatus.success;
}

/** Runs every step whose guard holds, in table order, each once, until none is left or one fails. */
function runSteps(): LaunchStatus {
  const steps = planField(PlanHeader.steps);
  let left = steps;
  let progress = true;
  while (left != 0 && progress) {
    progress = false;
    for (let step: u32 = 0; step < steps; step++) {
      if (load<u8>(DONE + step) != 0 || !guardHolds(step)) continue;
      const status = runStep(step);
      if (status != LaunchStatus.success) return status;
      store<u8>(DONE + step, 1);
      left--;
      progress = true;
    }
  }
  return left == 0 ? LaunchStatus.success : LaunchStatus.stalled;
}

function guardHolds(step: u32): bool {
  const after = stepField(step, StepRecord.afterStep);
  return after == 0 || load<u8>(DONE + after - 1) != 0;
}

/** Runs a step's operations; the receipt names the place if one fails. */
function runStep(step: u32): LaunchStatus {
  const domain = stepField(step, StepRecord.domain);
  const first = stepField(step, StepRecord.firstOperation);
  const end = first + stepField(step, StepRecord.operationCount);
  let status = LaunchStatus.success;
  let operation = first;
  while (status == LaunchStatus.success && operation < end) {
    status = executeOperation(operation, domain);
    operation++;
  }
  if (status != LaunchStatus.success) {
    setReceiptField(ReceiptHeader.step, step + 1);
    setReceiptField(ReceiptHeader.operation, operation);
    setReceiptField(ReceiptHeader.domain, domain + 1);
  }
  return status;
}
