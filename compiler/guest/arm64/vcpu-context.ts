// SPDX-License-Identifier: Apache-2.0
// The state in which vCPU 0 starts on arm64, as Xen's vcpu_guest_context (arch-arm.h): EL1, MMU and
// caches off, interrupts masked, x0 at the device tree (Linux, Documentation/arm64/booting.rst).

import {
  PSR_GUEST64_INIT,
  SCTLR_GUEST_INIT,
  VGCF_online,
  vcpu_guest_context_flags_offset,
  vcpu_guest_context_sctlr_offset,
  vcpu_guest_context_size,
  vcpu_guest_context_user_regs_cpsr_offset,
  vcpu_guest_context_user_regs_pc64_offset,
  vcpu_guest_context_user_regs_x0_offset,
} from "../../../contract/xen-abi-arm64.js";
import { writeStructure } from "../structures.js";

/** The context of vCPU 0 that starts at `entry` with x0 = `deviceTree`. */
export function encodeVcpuContext(entry: number, deviceTree: number): Uint8Array {
  const bytes = new Uint8Array(vcpu_guest_context_size);
  const context = writeStructure(bytes, 0);
  context.set32(vcpu_guest_context_flags_offset, VGCF_online);
  context.set64(vcpu_guest_context_user_regs_pc64_offset, entry);
  context.set64(vcpu_guest_context_user_regs_x0_offset, deviceTree);
  context.set64(vcpu_guest_context_user_regs_cpsr_offset, PSR_GUEST64_INIT);
  context.set64(vcpu_guest_context_sctlr_offset, SCTLR_GUEST_INIT);
  return bytes;
}
