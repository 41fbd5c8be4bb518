// SPDX-License-Identifier: Apache-2.0
// What Xen 4.17 asks of a new domain, if the boot domain creates it: boot_domain_may_create() and
// sanitise_domain_config(), xen/common/domain.c; arch_sanitise_domain_config(),
// xen/arch/x86/domain.c; grant_table_init(), xen/common/grant_table.c.

import * as abi from "../contract/xen-abi.js";

/** HVM_MAX_VCPUS, xen/include/public/hvm/hvm_info_table.h. */
const HVM_MAX_VCPUS = 128;
/** opt_max_grant_frames and opt_max_maptrack_frames, xen/common/grant_table.c. */
const MAX_GRANT_FRAMES = 64;
const MAX_MAPTRACK_FRAMES = 1024;
/** What of XEN_DOMCTL_createdomain decides whether there is a domain. */
export interface DomainCreation {
  /** SID of its label; 0: none. */
  readonly label: number;
  readonly createFlags: number;
  readonly maxVcpus: number;
  readonly devices: number;
  /** Negative: Xen's maximum. */
  readonly grantFrames: number;
  readonly maptrackFrames: number;
}

/** What each domain that the boot domain creates is: PVH with nested paging. */
const PVH = abi.XEN_DOMCTL_CDF_hvm | abi.XEN_DOMCTL_CDF_hap;
/** Privileges, each given once. */
export const PRIVILEGES =
  abi.XEN_DOMCTL_CDF_xs_domain |
  abi.XEN_DOMCTL_CDF_control |
  abi.XEN_DOMCTL_CDF_console |
  abi.XEN_DOMCTL_CDF_hardware;

/** The errno with which Xen refuses it, when `gone` can't be given; 0 if it does not. */
export function creationError(creation: DomainCreation, gone: number): number {
  const { createFlags, maxVcpus, devices, grantFrames, maptrackFrames } = creation;
  const added = createFlags & ~PVH;
  if ((createFlags & PVH) !== PVH || (added & gone) !== 0) return abi.XEN_EPERM;
  const given = PRIVILEGES | abi.XEN_DOMCTL_CDF_xen_log | abi.XEN_DOMCTL_CDF_host_ends;
  if ((added & ~given) !== 0) return abi.XEN_EPERM;
  if ((added & abi.XEN_DOMCTL_CDF_hardware) !== 0) return abi.XEN_EOPNOTSUPP;
  if (maxVcpus < 1 || maxVcpus > HVM_MAX_VCPUS) return abi.XEN_EINVAL;
  if (devices !== abi.XEN_X86_EMU_LAPIC) return abi.XEN_EPERM;
  if (grantFrames === 0 || grantFrames > MAX_GRANT_FRAMES) return abi.XEN_EINVAL;
  if (maptrackFrames > MAX_MAPTRACK_FRAMES) return abi.XEN_EINVAL;
  return 0;
}
