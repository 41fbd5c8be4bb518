// SPDX-License-Identifier: Apache-2.0
// What of Xen differs from one architecture to the other, as far as a launch meets it: each has a
// folder of its own, x86_64/ and arm64/.

import type { GuestTables } from "./guest-tables.js";

/** What of XEN_DOMCTL_createdomain decides whether there is a domain. */
export interface DomainCreation {
  /** SID of its label; 0: none. */
  readonly label: number;
  readonly createFlags: number;
  readonly maxVcpus: number;
  /** The first two words of xen_arch_domainconfig. */
  readonly devices: number;
  readonly sharedInterrupts: number;
  readonly maxEventChannelPort: number;
  readonly cpuPool: number;
  /** Negative: Xen's maximum. */
  readonly grantFrames: number;
  readonly maptrackFrames: number;
}

/** Where the boot domain's memory holds the context of a vCPU. */
export interface ContextArgument {
  /** A virtual address. */
  readonly address: bigint;
  readonly bytes: number;
  /** The domctl's arguments in words. */
  readonly details: string;
}

export interface HostArchitecture {
  /** Pages that a domain beside so many others takes at its creation: structures, tables. */
  domainPages(others: number): number;
  /** Pages for paging structures that it has from its creation. */
  readonly initialPoolPages: number;
  /** Pages that so many vCPUs of a domain take; a few less where Xen's heap has room. */
  vcpuPages(vcpus: number): number;
  /** Pages that they take of those for paging structures. */
  vcpuTables(vcpus: number): number;
  /** Whether Xen's copy of a context wants a page of its own, when there are so many domains. */
  copyTakesPage(domains: number): boolean;
  /** The errno with which Xen's half of this architecture refuses a domain; 0: it does not. */
  creationError(creation: DomainCreation): number;
  /** A new domain's paging structures. */
  newTables(): GuestTables;
  /** The argument of the domctl that sets a context; undefined if it is none, or not allowed. */
  contextOf(command: number, domctl: DataView): ContextArgument | undefined;
  /** What Xen answers to the context of a domain with so many vCPUs: 0 or an errno. */
  loadContext(context: Uint8Array, vcpus: number): number;
}
