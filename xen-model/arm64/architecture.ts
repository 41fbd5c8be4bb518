// SPDX-License-Identifier: Apache-2.0
// Xen's Arm half: 64-bit domains with a virtual GIC like the host's, and the contexts of their vCPUs.

import * as abi from "../../contract/xen-abi.js";
import {
  GUEST_GICC_BASE,
  vcpu_guest_context_size,
  XEN_DOMCTL_CONFIG_GIC_V2,
} from "../../contract/xen-abi-arm64.js";
import type { HostArchitecture } from "../architecture.js";
import { GuestTables } from "../guest-tables.js";
import { creationError } from "./create-domain.js";
import { loadContext } from "./vcpu-context.js";

/** Pages of structures, and of a vCPU with its stack of 8, as measured. */
const DOMAIN_PAGES = 11;
const VCPU_PAGES = 9;
/** Small structures of all vCPUs of a domain share a page, with room for a context. */
const SHARED_VCPU_PAGES = 1;
/** p2m_init(), xen/arch/arm/p2m.c. */
const INITIAL_POOL_PAGES = 16;
const PAGE_BITS = 12;

/** A host with this interrupt controller: one of XEN_DOMCTL_CONFIG_GIC_*. */
export function arm64Architecture(gic: number): HostArchitecture {
  return {
    domainPages: () => DOMAIN_PAGES,
    initialPoolPages: INITIAL_POOL_PAGES,
    vcpuPages: (vcpus) => (vcpus === 0 ? 0 : SHARED_VCPU_PAGES + vcpus * VCPU_PAGES),
    vcpuTables: () => 0,
    copyTakesPage: () => false,
    creationError: (creation) => creationError(creation, gic),
    newTables: () => {
      // The root is not of the pool.
      const tables = new GuestTables(0);
      // vgic_v2_domain_init() maps the GIC's CPU interface, two pages.
      if (gic === XEN_DOMCTL_CONFIG_GIC_V2) {
        tables.map(GUEST_GICC_BASE >> PAGE_BITS, 1, INITIAL_POOL_PAGES);
      }
      return tables;
    },
    contextOf: (command, domctl) => {
      const vcpu = domctl.getUint32(abi.xen_domctl_u_vcpucontext_vcpu_offset, true);
      // The domain starts its other vCPUs itself.
      if (command !== abi.XEN_DOMCTL_setvcpucontext || vcpu !== 0) return undefined;
      const address = domctl.getBigUint64(abi.xen_domctl_u_vcpucontext_ctxt_offset, true);
      return { address, bytes: vcpu_guest_context_size, details: "vCPU 0" };
    },
    loadContext,
  };
}
