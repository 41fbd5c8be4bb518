// SPDX-License-Identifier: Apache-2.0
// The launch receipt, kept in its final form from the first moment: it is also the executor's own
// record of what it has created and started.

import { DIGEST_BYTES } from "../../contract/limits";
import {
  DomainState,
  LaunchStatus,
  RECEIPT_MAGIC,
  RECEIPT_VERSION,
  ReceiptDomain,
  ReceiptHeader,
} from "../../contract/receipt";
import { endLine, writeHexadecimal, writeName, writeNumber, writeText } from "./console";
import { clock } from "./machine";
import { DIGEST, RECEIPT } from "./memory";
import { domainName } from "./plan";

/** Reads a 32-bit field of the receipt. */
export function receiptField(field: ReceiptHeader): u32 {
  return load<u32>(RECEIPT + <u32>field);
}

/** Size of the receipt in bytes. */
export function receiptBytes(): u32 {
  const domains = receiptField(ReceiptHeader.domains);
  return <u32>ReceiptHeader.size + domains * <u32>ReceiptDomain.size;
}

/** Sets a 32-bit field of the receipt. */
export function setReceiptField(field: ReceiptHeader, value: u32): void {
  store<u32>(RECEIPT + <u32>field, value);
}

/** Adds the time since `since` to one of the receipt's times. */
export function addTime(field: ReceiptHeader, since: u64): void {
  store<u64>(RECEIPT + <u32>field, load<u64>(RECEIPT + <u32>field) + clock() - since);
}

/** Begins the receipt. */
export function beginReceipt(clockKilohertz: u32): void {
  setReceiptField(ReceiptHeader.magic, RECEIPT_MAGIC);
  setReceiptField(ReceiptHeader.version, RECEIPT_VERSION);
  setReceiptField(ReceiptHeader.clockKilohertz, clockKilohertz);
  addTime(ReceiptHeader.beganAt, 0);
}

/** Keeps the plan's digest, which lies in DIGEST. */
export function keepPlanDigest(): void {
  for (let byte: u32 = 0; byte < <u32>DIGEST_BYTES; byte += 8) {
    store<u64>(RECEIPT + <u32>ReceiptHeader.planDigest + byte, load<u64>(DIGEST + byte));
  }
}

/** Address of the record of the domain with this index. */
function domainRecord(domain: u32): u32 {
  return RECEIPT + <u32>ReceiptHeader.size + domain * <u32>ReceiptDomain.size;
}

/** State of a domain. */
export function domainState(domain: u32): DomainState {
  return load<u32>(domainRecord(domain) + <u32>ReceiptDomain.state);
}

/** Sets a domain's state, and when Xen was asked for it. */
export function setDomainState(domain: u32, domid: u32, state: DomainState, at: u64): void {
  const record = domainRecord(domain);
  store<u32>(record + <u32>ReceiptDomain.domid, domid);
  store<u32>(record + <u32>ReceiptDomain.state, state);
  if (state == DomainState.created) store<u64>(record + <u32>ReceiptDomain.createdAt, at);
  if (state == DomainState.started) store<u64>(record + <u32>ReceiptDomain.startedAt, at);
}

/**
 * Ends the receipt, and shows it: a line for each domain, one for the plan, one for the launch. Xen
 * breaks lines of more than some 250 characters.
 */
export function endReceipt(status: LaunchStatus): void {
  setReceiptField(ReceiptHeader.status, status);
  addTime(ReceiptHeader.endedAt, 0);
  for (let domain: u32 = 0; domain < receiptField(ReceiptHeader.domains); domain++) {
    showDomain(domain);
  }
  if (receiptField(ReceiptHeader.verifiedBy) == 0) {
    writeText("domb: NOT VERIFIED: no trusted key has signed this launch");
    endLine();
  }
  writeNumber("domb: launch verified ", receiptField(ReceiptHeader.verifiedBy));
  writeNumber(" version ", receiptField(ReceiptHeader.launchVersion));
  writeNumber(" recovered ", receiptField(ReceiptHeader.recoveredFrom));
  writeText(" plan ");
  writeHexadecimal(RECEIPT + <u32>ReceiptHeader.planDigest, DIGEST_BYTES);
  endLine();
  writeNumber("domb: launch status ", status);
  writeNumber(" step ", receiptField(ReceiptHeader.step));
  writeNumber(" operation ", receiptField(ReceiptHeader.operation));
  writeNumber(" domain ", receiptField(ReceiptHeader.domain));
  writeNumber(" error ", receiptField(ReceiptHeader.error));
  writeNumber(" kHz ", receiptField(ReceiptHeader.clockKilohertz));
  showTime(" began ", RECEIPT + <u32>ReceiptHeader.beganAt);
  showTime(" ended ", RECEIPT + <u32>ReceiptHeader.endedAt);
  showTime(" digest ", RECEIPT + <u32>ReceiptHeader.digestTicks);
  showTime(" populate ", RECEIPT + <u32>ReceiptHeader.populateTicks);
  showTime(" copy ", RECEIPT + <u32>ReceiptHeader.copyTicks);
  showTime(" clear ", RECEIPT + <u32>ReceiptHeader.clearTicks);
  endLine();
}

function showTime(text: string, address: u32): void {
  writeNumber(text, load<u64>(address));
}

function showDomain(domain: u32): void {
  const record = domainRecord(domain);
  const state = domainState(domain);
  writeNumber("domb: domain ", domain + 1);
  writeText(" ");
  writeName(domainName(domain));
  writeNumber(" d", load<u32>(record + <u32>ReceiptDomain.domid));
  if (state == DomainState.absent) writeText(" absent");
  if (state == DomainState.created) writeText(" created");
  if (state == DomainState.started) writeText(" started");
  if (state == DomainState.destroyed) writeText(" destroyed");
  showTime(" created ", record + <u32>ReceiptDomain.createdAt);
  showTime(" started ", record + <u32>ReceiptDomain.startedAt);
  endLine();
}
