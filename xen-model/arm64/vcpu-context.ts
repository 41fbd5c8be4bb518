// SPDX-License-Identifier: Apache-2.0
// What Xen 4.17 asks of a vcpu_guest_context before vCPU 0 of a 64-bit domain gets it: its vCPU in
// do_domctl(), xen/common/domctl.c; arch_set_info_guest(), xen/arch/arm/domain.c.

import { XEN_EINVAL } from "../../contract/xen-abi.js";
import {
  vcpu_guest_context_user_regs_cpsr_offset,
  vcpu_guest_context_user_regs_spsr_el1_offset,
} from "../../contract/xen-abi-arm64.js";

/** PSR_MODE_BIT: 32-bit state; and PSR_MODE_MASK. */
const PSR_MODE_BIT = 0x10n;
const PSR_MODE_MASK = 0x1fn;
/** PSR_MODE_EL0t, PSR_MODE_EL1t and PSR_MODE_EL1h. */
const GUEST_MODES: readonly bigint[] = [0x0n, 0x4n, 0x5n];

/** What Xen answers to the context of a domain with so many vCPUs: 0 or an errno. */
export function loadContext(context: Uint8Array, vcpus: number): number {
  if (vcpus === 0) return XEN_EINVAL;
  const view = new DataView(context.buffer, context.byteOffset, context.byteLength);
  const mode = view.getBigUint64(vcpu_guest_context_user_regs_cpsr_offset, true);
  const saved = view.getBigUint64(vcpu_guest_context_user_regs_spsr_el1_offset, true);
  if (!isGuestMode(mode) || (saved !== 0n && !isGuestMode(saved))) return XEN_EINVAL;
  return 0;
}

/** is_guest_pv64_psr(). */
function isGuestMode(psr: bigint): boolean {
  return (psr & PSR_MODE_BIT) === 0n && GUEST_MODES.includes(psr & PSR_MODE_MASK);
}
