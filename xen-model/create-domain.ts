// SPDX-License-Identifier: Apache-2.0
// What Xen 4.17 asks of a new domain, whatever the architecture, if the boot domain creates it:
// boot_domain_may_create() and sanitise_domain_config(), xen/common/domain.c; grant_table_init(),
// xen/common/grant_table.c.

import * as abi from "../contract/xen-abi.js";
import type { DomainCreation, HostArchitecture } from "./architecture.js";
import type { GrantLimits } from "./domain-tables.js";

/** What each domain that the boot domain creates is: of Xen's HVM kind, with nested paging. */
const HVM_WITH_HAP = abi.XEN_DOMCTL_CDF_hvm | abi.XEN_DOMCTL_CDF_hap;
/** Privileges, each given once. */
export const PRIVILEGES =
  abi.XEN_DOMCTL_CDF_xs_domain |
  abi.XEN_DOMCTL_CDF_control |
  abi.XEN_DOMCTL_CDF_console |
  abi.XEN_DOMCTL_CDF_hardware;

/** The errno with which Xen refuses it, when `gone` can't be given; 0 if it does not. */
export function creationError(
  creation: DomainCreation,
  gone: number,
  architecture: HostArchitecture,
  limits: GrantLimits,
): number {
  const { createFlags, maxVcpus, grantFrames, maptrackFrames } = creation;
  const added = createFlags & ~HVM_WITH_HAP;
  if ((createFlags & HVM_WITH_HAP) !== HVM_WITH_HAP || (added & gone) !== 0) return abi.XEN_EPERM;
  const given =
    PRIVILEGES |
    abi.XEN_DOMCTL_CDF_xen_log |
    abi.XEN_DOMCTL_CDF_host_ends |
    abi.XEN_DOMCTL_CDF_receipt;
  if ((added & ~given) !== 0) return abi.XEN_EPERM;
  if ((added & abi.XEN_DOMCTL_CDF_hardware) !== 0) return abi.XEN_EOPNOTSUPP;
  if (maxVcpus < 1) return abi.XEN_EINVAL;
  const refused = architecture.creationError(creation);
  if (refused !== 0) return refused;
  if (grantFrames === 0 || grantFrames > limits.grantFrames) return abi.XEN_EINVAL;
  if (maptrackFrames > limits.maptrackFrames) return abi.XEN_EINVAL;
  return 0;
}
