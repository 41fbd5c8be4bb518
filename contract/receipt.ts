// SPDX-License-Identifier: Apache-2.0
// The launch receipt: what a launch did, as the boot domain records it while it runs. It has a part
// for each plan that ran: the main one's, and behind it the recovery plan's. A part is a header, its
// domain records in the order of the plan, then its step records.
// Little-endian; 32-bit unsigned unless said otherwise. Times are ticks of the boot domain's clock.
// Valid TypeScript and AssemblyScript alike: nothing is imported, every constant fits in 31 bits.

/** First four bytes of each part: "dmbr" in ASCII. */
export const RECEIPT_MAGIC = 0x72626d64;
/** Version of the format in this file. */
export const RECEIPT_VERSION = 3;

/** Steps whose times one line of the printed form tells. */
export const STEPS_PER_LINE = 4;

/** A part's first bytes. */
export const enum ReceiptHeader {
  /** RECEIPT_MAGIC */
  magic = 0,
  /** RECEIPT_VERSION */
  version = 4,
  /** number of domain records; 0 until a plan has been accepted */
  domains = 8,
  /** number of step records; 0 until a plan has been accepted */
  steps = 12,
  /** a LaunchStatus */
  status = 16,
  /** number of the failed step, from 1; 0: none */
  step = 20,
  /** number of the failed operation, from 1; 0: none */
  operation = 24,
  /** number of the failed domain, from 1; 0: none */
  domain = 28,
  /** Xen's errno, positive; 0: none */
  error = 32,
  /** number of the trusted key that signed the plan, from 1; 0: it is not verified */
  verifiedBy = 36,
  /** when the plan was begun with, 64 bits */
  beganAt = 40,
  /** when it had ended, 64 bits */
  endedAt = 48,
  /** time spent on digests, 64 bits */
  digestTicks = 56,
  /** time spent on giving memory to domains, 64 bits */
  populateTicks = 64,
  /** time spent on copying, 64 bits */
  copyTicks = 72,
  /** time spent on clearing, 64 bits */
  clearTicks = 80,
  /** time spent on waiting for domains, 64 bits */
  waitTicks = 88,
  /** SHA-256 of the plan as computed, 32 bytes */
  planDigest = 96,
  /** version of the launch, as the plan's header says */
  launchVersion = 128,
  /** ticks of the clock per millisecond */
  clockKilohertz = 132,
  /** size of this record */
  size = 136,
}

/** What became of one Initial Domain. */
export const enum ReceiptDomain {
  /** domid */
  domid = 0,
  /** a DomainState */
  state = 4,
  /** name, filled with zero bytes, 32 bytes */
  name = 8,
  /** when it was created, 64 bits; 0: never */
  createdAt = 40,
  /** when it was started, 64 bits; 0: never */
  startedAt = 48,
  /** when the boot domain heard its signal, 64 bits; 0: never */
  signalledAt = 56,
  /** when it was ready, 64 bits; 0: never */
  readyAt = 64,
  /** when the boot domain heard that it had ended, 64 bits; 0: never */
  endedAt = 72,
  /** when the boot domain destroyed it, 64 bits; 0: never */
  destroyedAt = 80,
  /** how it ended: SHUTDOWN_*, or all ones: another domain destroyed it */
  endReason = 88,
  /** why it failed, a LaunchStatus; 0: it did not */
  status = 92,
  /** number of the operation that failed, from 1; 0: none */
  operation = 96,
  /** Xen's errno for it, positive; 0: none */
  error = 100,
  /** size of this record */
  size = 104,
}

/** When one step ran. */
export const enum ReceiptStep {
  /** when it began, 64 bits; 0: never */
  beganAt = 0,
  /** when it had ended, 64 bits; 0: never */
  endedAt = 8,
  /** size of this record */
  size = 16,
}

/** States of an Initial Domain during a launch. */
export const enum DomainState {
  /** not created */
  absent = 0,
  /** created, not started */
  created = 1,
  /** started */
  started = 2,
  /** destroyed because the launch failed */
  destroyed = 3,
  /** destroyed, or never created, because it failed; the launch went on */
  failed = 4,
  /** destroyed, or never created, because one failed that it waits for; the launch went on */
  skipped = 5,
  /** destroyed because it had done what it was for */
  finished = 6,
}

/** How a launch ended. */
export const enum LaunchStatus {
  /** every step is done, or of a domain that the launch went on without */
  success = 0,
  /** the image is shorter than its header, or than its header says */
  imageTruncated = 1,
  /** the image does not begin with IMAGE_MAGIC */
  imageMagic = 2,
  /** the image has a version that this boot domain does not know */
  imageVersion = 3,
  /** image or boot domain are for another architecture or another Xen; error: Xen said so */
  imageTarget = 4,
  /** a field of the image's header is out of bounds */
  imageMalformed = 5,
  /** the plan's digest is not the one in the header */
  planDigest = 6,
  /** a record of the plan is out of bounds; step and operation say which */
  planMalformed = 7,
  /** a material's digest is not the one in the plan */
  materialDigest = 8,
  /** Xen refused a hypercall; error says why */
  hypercall = 9,
  /** an operation came before what it needs: creation, verification, mapping */
  outOfOrder = 10,
  /** steps are left whose guards can't hold any more */
  stalled = 11,
  /** Xen does not enforce the FLASK policy of the plan; error says why if it gave none */
  policy = 12,
  /** no trusted key has signed the plan, or it wants to be verified and no key is trusted */
  signature = 13,
  /** the plan is signed, but for an older launch than may run */
  launchVersion = 14,
  /** a domain ended before it was ready */
  ended = 15,
  /** a domain was not ready in time */
  late = 16,
}
