// SPDX-License-Identifier: Apache-2.0
// The launch receipt: what a launch did, as the boot domain records it while it runs.
// Little-endian; 32-bit unsigned unless said otherwise. Times are ticks of the boot domain's clock.
// Valid TypeScript and AssemblyScript alike: nothing is imported, every constant fits in 31 bits.

/** First four bytes of a receipt: "dmbr" in ASCII. */
export const RECEIPT_MAGIC = 0x72626d64;
/** Version of the format in this file. */
export const RECEIPT_VERSION = 2;

/** The receipt's first bytes; its domain records follow in the order of the plan. */
export const enum ReceiptHeader {
  /** RECEIPT_MAGIC */
  magic = 0,
  /** RECEIPT_VERSION */
  version = 4,
  /** number of domain records; 0 until a plan has been accepted */
  domains = 8,
  /** ticks of the clock per millisecond */
  clockKilohertz = 12,
  /** a LaunchStatus */
  status = 16,
  /** number of the failed step, from 1; 0: none */
  step = 20,
  /** number of the failed operation, from 1; 0: none */
  operation = 24,
  /** number of the domain of that step, from 1; 0: none */
  domain = 28,
  /** Xen's errno, positive; 0: none */
  error = 32,
  /** number of the trusted key that signed the plan, from 1; 0: it is not verified */
  verifiedBy = 36,
  /** when the boot domain began, 64 bits */
  beganAt = 40,
  /** when it asked for its exit, 64 bits */
  endedAt = 48,
  /** time spent on digests, 64 bits */
  digestTicks = 56,
  /** time spent on giving memory to domains, 64 bits */
  populateTicks = 64,
  /** time spent on copying, 64 bits */
  copyTicks = 72,
  /** time spent on clearing, 64 bits */
  clearTicks = 80,
  /** SHA-256 of the plan as computed, 32 bytes */
  planDigest = 88,
  /** version of the launch, as the plan's header says */
  launchVersion = 120,
  /** why the main plan was refused and the recovery plan runs, a LaunchStatus; 0: it does not */
  recoveredFrom = 124,
  /** size of this record */
  size = 128,
}

/** What became of one Initial Domain. */
export const enum ReceiptDomain {
  /** domid */
  domid = 0,
  /** a DomainState */
  state = 4,
  /** when it was created, 64 bits; 0: never */
  createdAt = 8,
  /** when it was started, 64 bits; 0: never */
  startedAt = 16,
  /** size of this record */
  size = 24,
}

/** States of an Initial Domain during a launch. */
export const enum DomainState {
  /** not created */
  absent = 0,
  /** created, not started */
  created = 1,
  /** started */
  started = 2,
  /** created, then destroyed because the launch failed */
  destroyed = 3,
}

/** How a launch ended. */
export const enum LaunchStatus {
  /** every step is done */
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
  /** steps are left whose guards never held */
  stalled = 11,
  /** Xen does not enforce the FLASK policy of the plan; error says why if it gave none */
  policy = 12,
  /** no trusted key has signed the plan, or it wants to be verified and no key is trusted */
  signature = 13,
  /** the plan is signed, but for an older launch than may run */
  launchVersion = 14,
}
