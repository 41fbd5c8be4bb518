// SPDX-License-Identifier: Apache-2.0
// What only launches on arm64 can have wrong: contexts of a vCPU whose mode is none of a guest's, and
// interrupt controllers that the host does not have.

import { PAGE_SIZE } from "../../contract/limits.js";
import { XEN_DOMCTL_CDF_xen_log } from "../../contract/xen-abi.js";
import * as arm64 from "../../contract/xen-abi-arm64.js";
import { type BaseLaunch, withDomain, withMaterial } from "./base-launch.js";
import { plainCase, type SuiteCase } from "./suite-case.js";

const flags = arm64.vcpu_guest_context_flags_offset;
const mode = arm64.vcpu_guest_context_user_regs_cpsr_offset;
const savedMode = arm64.vcpu_guest_context_user_regs_spsr_el1_offset;
const control = arm64.vcpu_guest_context_sctlr_offset;

/** What becomes a 32-bit number at an offset. */
const changes: readonly (readonly [what: string, offset: number, value: number])[] = [
  ["vCPU is not online", flags, 0],
  ["flags are unknown", flags, 0xffffffff],
  // With the MMU on as well, the guest faults without an instruction: QEMU's virtual time stands still.
  ["control register is all ones but for the MMU", control, 0xfffffffe],
  ...Array.from({ length: 32 }, (_, bits) => [`mode is ${bits}`, mode, bits] as const),
  ["mode has all other bits", mode, 0xffffffe5],
  ...[0, 4, 5, 8, 9, 13, 16, 19, 31].map(
    (bits) => [`saved mode is ${bits} with a flag`, savedMode, 0x80000000 + bits] as const,
  ),
];

/** Each change of the base's context, and other sizes of it. */
export function vcpuContextCases(base: BaseLaunch): readonly SuiteCase[] {
  const index = base.plan.materials.findIndex(({ kind }) => kind === "vcpuContext");
  const context = base.materials[index] ?? new Uint8Array();
  const changed = changes.map(([what, offset, value]) => {
    const bytes = context.slice();
    new DataView(bytes.buffer).setUint32(offset, value, true);
    return plainCase(`context: ${what}`, withMaterial(base, index, bytes));
  });
  const sizes = [1, mode, mode + 8, context.length - 1, context.length + 1, PAGE_SIZE];
  const sized = sizes.map((bytes) => {
    // What is behind it is not of any material.
    const resized = new Uint8Array(bytes).fill(0xff);
    resized.set(context.subarray(0, bytes));
    return plainCase(`context: of ${bytes} bytes`, withMaterial(base, index, resized));
  });
  return [...changed, ...sized];
}

/** Domains that a host with a GICv3 can't have, and their neighbours that it can. */
export function arm64DomainCases(base: BaseLaunch): readonly SuiteCase[] {
  const createFlags = (base.plan.domains[0]?.createFlags ?? 0) | XEN_DOMCTL_CDF_xen_log;
  const [v2, v3] = [arm64.XEN_DOMCTL_CONFIG_GIC_V2, arm64.XEN_DOMCTL_CONFIG_GIC_V3];
  const cases = [
    ["a GICv2", { devices: v2 }],
    ["the GIC that the host has, whichever", { devices: 0 }],
    ["OP-TEE", { devices: v3 | (1 << 16) }],
    ["padding beside the GIC's version", { devices: v3 | (1 << 8) }],
    ["960 shared interrupts", { sharedInterrupts: 960 }],
    ["961 shared interrupts", { sharedInterrupts: 961 }],
    ["no shared interrupt", { sharedInterrupts: 0 }],
    ["no shared interrupt, and a UART", { sharedInterrupts: 0, createFlags }],
    ["one shared interrupt, and a UART", { sharedInterrupts: 1, createFlags }],
    ["128 vCPUs", { vcpus: 128 }],
  ] as const;
  return cases.map(([what, change]) =>
    plainCase(`plan: a domain with ${what}`, withDomain(base, 0, change)),
  );
}
