// SPDX-License-Identifier: Apache-2.0
// What Xen 4.17 asks of a new domain: sanitise_domain_config(), xen/common/domain.c;
// arch_sanitise_domain_config() and emulation_flags_ok(), xen/arch/x86/domain.c;
// grant_table_init(), xen/common/grant_table.c. PV domains are not modelled.

import * as abi from "../contract/xen-abi.js";

/** HVM_MAX_VCPUS, xen/include/public/hvm/hvm_info_table.h. */
const HVM_MAX_VCPUS = 128;
/** opt_max_grant_frames and opt_max_maptrack_frames, xen/common/grant_table.c. */
const MAX_GRANT_FRAMES = 64;
const MAX_MAPTRACK_FRAMES = 1024;
/** XEN_X86_EMU_ALL, and what of it a domain without virtual PCI has. */
const EMULATION_ALL = 0x7ff;
const EMULATION_HVM = 0x3ff;
/**
 * Flags that Xen takes without an IOMMU and without a performance monitor: S3 integrity, no
 * out-of-sync shadows, xenstore domain, nested virtualisation.
 */
const OTHER_FLAGS = 0x5c;
const NESTED_VIRTUALISATION = 0x40;

/** What of XEN_DOMCTL_createdomain decides whether there is a domain. */
export interface DomainCreation {
  readonly createFlags: number;
  readonly maxVcpus: number;
  readonly emulationFlags: number;
  /** Negative: Xen's maximum. */
  readonly grantFrames: number;
  readonly maptrackFrames: number;
}

/** The errno with which Xen refuses it; 0 if it does not. */
export function creationError(creation: DomainCreation): number {
  const { createFlags, maxVcpus, emulationFlags, grantFrames, maptrackFrames } = creation;
  const has = (flag: number): boolean => (createFlags & flag) !== 0;
  const known = abi.XEN_DOMCTL_CDF_hvm | abi.XEN_DOMCTL_CDF_hap | abi.XEN_DOMCTL_CDF_xen_log;
  if ((createFlags & ~(known | OTHER_FLAGS)) !== 0) return abi.XEN_EINVAL;
  if (maxVcpus < 1 || maxVcpus > HVM_MAX_VCPUS) return abi.XEN_EINVAL;
  if (has(abi.XEN_DOMCTL_CDF_hap) && !has(abi.XEN_DOMCTL_CDF_hvm)) return abi.XEN_EINVAL;
  if (has(NESTED_VIRTUALISATION) && !has(abi.XEN_DOMCTL_CDF_hap)) return abi.XEN_EINVAL;
  if ((emulationFlags & ~EMULATION_ALL) !== 0) return abi.XEN_EINVAL;
  const emulated = emulationFlags === abi.XEN_X86_EMU_LAPIC || emulationFlags === EMULATION_HVM;
  if (!emulated || !has(abi.XEN_DOMCTL_CDF_hvm)) return abi.XEN_EOPNOTSUPP;
  if (grantFrames === 0 || grantFrames > MAX_GRANT_FRAMES) return abi.XEN_EINVAL;
  if (maptrackFrames > MAX_MAPTRACK_FRAMES) return abi.XEN_EINVAL;
  return 0;
}
