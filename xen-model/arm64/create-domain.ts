// SPDX-License-Identifier: Apache-2.0
// What Xen 4.17 asks of a new domain on Arm, if the boot domain creates it:
// sanitise_initial_domain_config() and arch_sanitise_domain_config(), xen/arch/arm/domain.c.

import * as abi from "../../contract/xen-abi.js";
import { GUEST_VPL011_SPI, XEN_DOMCTL_CONFIG_GIC_V2 } from "../../contract/xen-abi-arm64.js";
import type { DomainCreation } from "../architecture.js";

/** NR_LOCAL_IRQS, xen/arch/arm/include/asm/gic.h: interrupts before the first SPI. */
const LOCAL_INTERRUPTS = 32;
/** INITIAL_DOMAIN_MAX_SPIS, xen/arch/arm/domain.c. */
const MAX_SPIS = 992 - LOCAL_INTERRUPTS;
/** vgic_max_vcpus(), xen/arch/arm/vgic.c. */
const GIC_V2_MAX_VCPUS = 8;
/** MAX_VIRT_CPUS, xen/arch/arm/include/asm/config.h: less than a GICv3 has room for. */
const MAX_VIRT_CPUS = 128;

/** The errno with which Xen refuses it on a host with this GIC; 0 if it does not. */
export function creationError(creation: DomainCreation, gic: number): number {
  const { createFlags, maxVcpus, devices, sharedInterrupts } = creation;
  // Of the first word the lowest byte is the GIC's version, and the upper half the TEE.
  const [version, tee] = [devices & 0xff, devices >>> 16];
  if (tee !== 0 || sharedInterrupts > MAX_SPIS) return abi.XEN_EPERM;
  const hasUart = (createFlags & abi.XEN_DOMCTL_CDF_xen_log) !== 0;
  if (hasUart && sharedInterrupts <= GUEST_VPL011_SPI - LOCAL_INTERRUPTS) return abi.XEN_EINVAL;
  if (version !== gic) return abi.XEN_ENODEV;
  const maximum = gic === XEN_DOMCTL_CONFIG_GIC_V2 ? GIC_V2_MAX_VCPUS : MAX_VIRT_CPUS;
  return maxVcpus > maximum ? abi.XEN_EINVAL : 0;
}
