// SPDX-License-Identifier: Apache-2.0
// What Xen 4.17 asks of a new domain on x86: arch_sanitise_domain_config(), xen/arch/x86/domain.c.

import * as abi from "../../contract/xen-abi.js";
import type { DomainCreation } from "../architecture.js";

/** HVM_MAX_VCPUS, xen/include/public/hvm/hvm_info_table.h. */
const HVM_MAX_VCPUS = 128;

/** The errno with which Xen refuses it; 0 if it does not. */
export function creationError({ maxVcpus, devices, sharedInterrupts }: DomainCreation): number {
  if (maxVcpus > HVM_MAX_VCPUS) return abi.XEN_EINVAL;
  // The second word is misc_flags, none of which the boot domain may set.
  if (devices !== abi.XEN_X86_EMU_LAPIC || sharedInterrupts !== 0) return abi.XEN_EPERM;
  return 0;
}
