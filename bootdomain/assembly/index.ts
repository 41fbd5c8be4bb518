// SPDX-License-Identifier: Apache-2.0
// The boot domain: accepts the main plan of an image and runs it, undoes what it made if that
// fails, then accepts and runs the recovery plan where that takes its place, and exits with a status.
// Every image, whatever its bytes, comes to that exit; work is bounded by the plan.

import { DomainRecord, MAIN_HEADER, OnFailure, RECOVERY_HEADER } from "../../contract/image";
import { MAX_MATERIALS, MAX_STEPS } from "../../contract/limits";
import { LaunchStatus, ReceiptHeader } from "../../contract/receipt";
import { acceptPlan } from "./bounds";
import { exitBootServices, placeMemory } from "./hypercalls";
import { acceptImage } from "./image";
import { DONE, RECEIPT, VERIFIED } from "./memory";
import { acceptPolicy, drop, undo } from "./operations";
import { runSteps } from "./order";
import { domainField } from "./plan";
import { addPart, beginReceipt, beginRecords, dropPart, endReceipt, receiptField } from "./receipt";

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
  const isRefused = status != LaunchStatus.success;
  if (!isRefused) status = run();
  endReceipt(status);
  if (isRefused || wantsRecovery()) {
    addPart();
    if (accept(RECOVERY_HEADER, moduleBytes, machine) == LaunchStatus.success) {
      status = run();
      endReceipt(status);
    } else {
      dropPart();
    }
  }
  exitBootServices(status);
}

/** Accepts the plan of the header at this offset. */
function accept(header: u32, moduleBytes: u32, machine: u32): LaunchStatus {
  const status = acceptImage(header, moduleBytes, machine);
  return status == LaunchStatus.success ? acceptPlan() : status;
}

/** Runs the accepted plan; leaves nothing of it behind if it fails. */
function run(): LaunchStatus {
  memory.fill(VERIFIED, 0, MAX_MATERIALS);
  memory.fill(DONE, 0, MAX_STEPS);
  beginRecords();
  let status = drop();
  if (status == LaunchStatus.success) status = acceptPolicy();
  if (status == LaunchStatus.success) status = runSteps();
  if (status != LaunchStatus.success) undo(receiptField(ReceiptHeader.domains));
  return status;
}

/** Whether a domain has failed that asks for the recovery plan. */
function wantsRecovery(): bool {
  const number = receiptField(ReceiptHeader.domain);
  if (number == 0) return false;
  return domainField(number - 1, DomainRecord.onFailure) == <u32>OnFailure.recover;
}
