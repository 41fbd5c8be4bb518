// SPDX-License-Identifier: Apache-2.0
// Xen's x86 half: HVM domains with nested paging and a local APIC, and their HVM contexts.

import * as abi from "../../contract/xen-abi.js";
import type { HostArchitecture } from "../architecture.js";
import { GuestTables } from "../guest-tables.js";
import { creationError } from "./create-domain.js";
import { loadContext } from "./hvm-context.js";

/** Roots of tables that a domain has: its own, and MAX_NESTEDP2M that it does not use. */
const ROOT_TABLES = 1 + 10;
/** Pages of a vCPU, and of small structures that all of a domain's share, as measured. */
const VCPU_PAGES = 8;
const SHARED_VCPU_PAGES = 4;

export const x86Architecture: HostArchitecture = {
  // Small structures share pages: every second domain begins a new one.
  domainPages: (others) => 16 + (others % 2),
  /** hap_enable(), xen/arch/x86/mm/hap/hap.c. */
  initialPoolPages: 256,
  vcpuPages: (vcpus) => (vcpus === 0 ? 0 : SHARED_VCPU_PAGES + vcpus * VCPU_PAGES),
  /** hap_make_monitor_table(), xen/arch/x86/mm/hap/hap.c. */
  vcpuTables: (vcpus) => vcpus,
  // It is a small structure: there is room for it in the page that the last domain began.
  copyTakesPage: (domains) => domains % 2 === 1,
  creationError,
  newTables: () => new GuestTables(ROOT_TABLES),
  contextOf: (command, domctl) => {
    if (command !== abi.XEN_DOMCTL_sethvmcontext) return undefined;
    const bytes = domctl.getUint32(abi.xen_domctl_u_hvmcontext_size_offset, true);
    const address = domctl.getBigUint64(abi.xen_domctl_u_hvmcontext_buffer_offset, true);
    return { address, bytes, details: `${bytes} bytes` };
  },
  loadContext,
};
