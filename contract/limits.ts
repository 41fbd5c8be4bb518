// SPDX-License-Identifier: Apache-2.0
// The maxima that compiler and boot domain check alike.
// Valid TypeScript and AssemblyScript alike: nothing is imported, every constant fits in 31 bits.

/** Size of a page in bytes, on host and guests (XEN_PAGE_SIZE). */
export const PAGE_SIZE = 4096;
/** Size of a SHA-256 digest in bytes. */
export const DIGEST_BYTES = 32;
/** Bytes of a domain's name, one zero byte at least included. */
export const NAME_BYTES = 32;
/** Bytes of a domain's FLASK label, one zero byte at least included. */
export const LABEL_BYTES = 64;
/** Size of a FLASK policy in bytes, one less than the boot domain reads: it sees that one is longer. */
export const MAX_POLICY_BYTES = 0xefff;
/** Initial Domains in one plan. */
export const MAX_DOMAINS = 128;
/** Materials in one plan: for each domain a kernel, a ramdisk, a start of day, a context. */
export const MAX_MATERIALS = 512;
/** Steps in one plan: three for each domain. */
export const MAX_STEPS = 384;
/** Guards of all steps of one plan. */
export const MAX_GUARDS = 2048;
/** Operations in one plan. */
export const MAX_OPERATIONS = 16384;
/** Operations that one run of a plan executes, over all its steps. */
export const MAX_WORK = 65536;
/** Size of an image in bytes: what fits beside the boot domain below 3 GiB. */
export const MAX_IMAGE_BYTES = 0x7ffff000;
/** Highest event channel port of a link. */
export const MAX_PORT = 1023;
/** Longest time within which a domain must be ready, in milliseconds: an hour. */
export const MAX_READY_WITHIN = 3600000;
/** Highest domid of an Initial Domain: the boot domain's own is the one above. */
export const MAX_DOMID = 0x7fee;
/** The boot domain's own domid: DOMID_FIRST_RESERVED - 1. */
export const BOOT_DOMID = 0x7fef;
/** Virtual CPUs of one domain: what Xen gives on x86-64, and on arm64 with a GICv3. */
export const MAX_VCPUS = 128;
/** Memory of one domain in pages: 1 TiB. */
export const MAX_MEMORY_PAGES = 0x10000000;
/** First gfn behind any guest's memory: MAX_MEMORY_PAGES and the hole below 4 GiB. */
export const MAX_FRAME = 0x10100000;
/** Memory for one domain's paging structures in pages: 16 GiB. */
export const MAX_PAGING_POOL_PAGES = 0x400000;
/** Size of a vCPU's context in bytes. */
export const MAX_CONTEXT_BYTES = 4096;
/** Largest order of an extent: 1 GiB. */
export const MAX_ORDER = 18;
/** Extents that one populate hypercall asks for. */
export const POPULATE_BATCH = 512;
