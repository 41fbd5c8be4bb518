// SPDX-License-Identifier: Apache-2.0
// biome-ignore-all lint/suspicious/noDuplicateEnumValues: kinds of operations share places
// The launch image and its launch plans: where each field lies, in bytes from its record's start.
// All numbers are little-endian unsigned 32-bit unless said otherwise. An image is two headers, each
// with room for its signature; the recovery plan with its materials, if there is one; the main plan
// with its own. Each material lies at a multiple of the page size; what lies between is zero.
// Valid TypeScript and AssemblyScript alike: nothing is imported, every constant fits in 31 bits.

/** First four bytes of an image: "domb" in ASCII. */
export const IMAGE_MAGIC = 0x626d6f64;
/** Version of the formats in this file. */
export const IMAGE_VERSION = 4;
/** Value of ImageHeader.machine for x86-64. */
export const MACHINE_X86_64 = 1;
/** Value of ImageHeader.machine for arm64. */
export const MACHINE_ARM64 = 2;
/** Offset of the main plan's header in bytes. */
export const MAIN_HEADER = 0;
/** Offset of the recovery plan's header in bytes; without a recovery plan zeros lie there. */
export const RECOVERY_HEADER = 0x2000;
/** Offset in bytes behind both headers and their signatures. */
export const HEADERS_END = 0x4000;
/** Value of ImageHeader.verify: the plan may run without a signature. */
export const VERIFY_NONE = 0;
/** Value of ImageHeader.verify: the plan may run only if its signature is verified. */
export const VERIFY_ALL = 1;

/** What is known of a plan before it is read. All of it is signed; the signature follows it. */
export const enum ImageHeader {
  /** IMAGE_MAGIC */
  magic = 0,
  /** IMAGE_VERSION */
  version = 4,
  /** architecture of host and Initial Domains: MACHINE_X86_64 or MACHINE_ARM64 */
  machine = 8,
  /** XEN_DOMCTL_INTERFACE_VERSION of the Xen that the plan is for */
  xenInterface = 12,
  /** version of the launch, which its owner counts up: against old ones */
  launchVersion = 16,
  /** VERIFY_NONE or VERIFY_ALL */
  verify = 20,
  /** size of the image in bytes up to the end of this plan's materials */
  imageBytes = 24,
  /** offset of the plan in the image, in bytes */
  planOffset = 28,
  /** size of the plan in bytes */
  planBytes = 32,
  /** SHA-256 of the plan, 32 bytes */
  planDigest = 36,
  /** size of this record; at this offset begins the signature, zeros without */
  size = 68,
}

/** The plan's first bytes; the tables follow in the order of their counts, without gaps. */
export const enum PlanHeader {
  /** number of domain records */
  domains = 0,
  /** number of material records */
  materials = 4,
  /** number of step records */
  steps = 8,
  /** number of operation records */
  operations = 12,
  /** privileges (XEN_DOMCTL_CDF_*) that the boot domain gives up before its first operation */
  dropped = 16,
  /** size in bytes of the FLASK policy that Xen must enforce, to MAX_POLICY_BYTES; 0: any, or none */
  policyBytes = 20,
  /** SHA-256 of that policy, 32 bytes; zero without */
  policyDigest = 24,
  /** number of guard records */
  guards = 56,
  /** privileges (XEN_DOMCTL_CDF_*) that the recovery plan may give once more */
  reservedPrivileges = 60,
  /** memory that is kept free for the recovery plan, in pages */
  reservedPages = 64,
  /** size of this record */
  size = 68,
}

/** One Initial Domain. */
export const enum DomainRecord {
  /** name in printable ASCII, filled with zero bytes, 32 bytes */
  name = 0,
  /** domid, from 0 to MAX_DOMID */
  domid = 32,
  /** XEN_DOMCTL_CDF_* flags of its creation */
  createFlags = 36,
  /** what Xen emulates for it: XEN_X86_EMU_*, or on arm64 XEN_DOMCTL_CONFIG_GIC_* */
  devices = 40,
  /** arm64: number of its shared interrupts (SPIs); x86-64: zero */
  sharedInterrupts = 44,
  /** number of virtual CPUs */
  vcpus = 48,
  /** memory that it may have, in pages */
  memoryPages = 52,
  /** memory for its paging structures, in pages */
  pagingPoolPages = 56,
  /** highest event channel port */
  maxEventChannelPort = 60,
  /** maximum number of grant table frames */
  maxGrantFrames = 64,
  /** maximum number of maptrack frames */
  maxMaptrackFrames = 68,
  /** FLASK label (a security context), filled with zero bytes, 64 bytes; empty: none */
  label = 72,
  /** CPU pool, 0 unless the plan creates others */
  cpuPool = 136,
  /** a Readiness */
  readiness = 140,
  /** time from its start within which it must be ready, in milliseconds; 0 where that is at once */
  readyWithin = 144,
  /** an OnFailure */
  onFailure = 148,
  /** size of this record */
  size = 152,
}

/** What makes a domain ready. */
export const enum Readiness {
  /** its start */
  started = 0,
  /** its signal */
  signalled = 1,
  /** its signal, and then its end by a shutdown with SHUTDOWN_poweroff; it is destroyed then */
  finished = 2,
}

/** What follows when an operation on a domain fails, or it ends or is late before it is ready. */
export const enum OnFailure {
  /** everything is destroyed; the launch has failed */
  abort = 0,
  /** it is destroyed; the launch goes on without it and without those that wait for it */
  goOn = 1,
  /** everything is destroyed; the recovery plan runs */
  recover = 2,
}

/** One material: bytes of the image with a digest. */
export const enum MaterialRecord {
  /** offset in the image in bytes, a multiple of PAGE_SIZE */
  offset = 0,
  /** size in bytes, at least 1; the rest of its last page is zero */
  bytes = 4,
  /** what it is, for people: a MaterialKind; the boot domain does not read it */
  kind = 8,
  /** zero */
  reserved = 12,
  /** SHA-256 of its bytes, 32 bytes */
  digest = 16,
  /** size of this record */
  size = 48,
}

/** What a material is. */
export const enum MaterialKind {
  /** a kernel's segments, without their zero pages */
  kernel = 1,
  /** a ramdisk, as the file is */
  ramdisk = 2,
  /** what one domain is told: start info, memory map and command line, or its device tree */
  startOfDay = 3,
  /** context of a vCPU: HVM save records, or on arm64 a vcpu_guest_context */
  vcpuContext = 4,
}

/** A few operations on one domain, and what must hold before they run. */
export const enum StepRecord {
  /** index of the domain, from 0 */
  domain = 0,
  /** index of its first operation, from 0 */
  firstOperation = 4,
  /** number of operations, at least 1 */
  operationCount = 8,
  /** guard: number, from 1, of the step that must be done first; 0: none */
  afterStep = 12,
  /** guard: index of the first of its guard records, from 0 */
  firstGuard = 16,
  /** guard: number of its guard records */
  guardCount = 20,
  /** size of this record */
  size = 24,
}

/** A domain that must be ready before a step: its index, from 0. */
export const GUARD_BYTES = 4;

/** One operation; a field that its kind does not use is zero. Kinds share places. */
export const enum OperationRecord {
  /** an OperationKind */
  kind = 0,
  /** index of a material, from 0 */
  material = 4,
  /** index of the domain at a link's other end, from 0 */
  peer = 4,
  /** physical CPUs 0 to 31, a bit each */
  lowCpus = 4,
  /** a CPU pool that the plan creates, from 1 */
  pool = 4,
  /** the pool's scheduler, XEN_SCHEDULER_* */
  scheduler = 8,
  /** offset in the material in bytes, a multiple of PAGE_SIZE */
  offset = 8,
  /** first grant reference */
  reference = 8,
  /** physical CPUs 32 to 63, a bit each */
  highCpus = 8,
  /** first guest frame number (gfn) */
  frame = 12,
  /** number of a physical CPU */
  cpu = 12,
  /** index of a vCPU */
  vcpu = 12,
  /** weight of the credit schedulers */
  weight = 12,
  /** number of pages, or of extents */
  count = 16,
  /** an event channel port */
  port = 16,
  /** cap of the credit schedulers, in percent of a physical CPU; 0: none */
  cap = 16,
  /** size of each extent: 2^order pages */
  order = 20,
  /** 0: the peer may write, 1: it may only read */
  readOnly = 20,
  /** size of this record */
  size = 24,
}

/** What an operation does to its step's domain. Each makes one kind of hypercall, or none. */
export const enum OperationKind {
  /** digests a material and compares, unless that was done before: material */
  verify = 1,
  /** creates the domain */
  createDomain = 2,
  /** allocates its vCPUs */
  allocateVcpus = 3,
  /** sizes the memory of its paging structures */
  setPagingPool = 4,
  /** limits its memory */
  limitMemory = 5,
  /** gives it memory: frame, count extents of order */
  populate = 6,
  /** copies count pages of material, from offset, to its memory from frame */
  copy = 7,
  /** fills count pages of its memory from frame with zeros */
  clear = 8,
  /** sets the context of vCPU 0 from material; on x86-64 also the MTRRs of any vCPU */
  setContext = 9,
  /** starts the domain */
  start = 10,
  /** opens an event channel of its own for another domain: peer, port */
  openChannel = 11,
  /** opens the boot domain's own event channel port, by which the domain signals: port */
  openSignal = 12,
  /** grants pages of its memory to another domain, or itself: peer, reference, frame, count, readOnly */
  grant = 13,
  /** says on which physical CPUs a vCPU of it runs: vcpu, lowCpus, highCpus */
  setAffinity = 14,
  /** says what share of the CPUs it gets: scheduler, weight, cap */
  setShare = 15,
  /** creates a CPU pool: pool, scheduler */
  createPool = 16,
  /** moves a physical CPU from pool 0 to another one: pool, cpu */
  moveCpu = 17,
}
