// SPDX-License-Identifier: Apache-2.0
// What Xen's Arm half asks of domains and their vCPUs.

import { describe, expect, it } from "vitest";
import * as abi from "../../contract/xen-abi.js";
import * as arm64 from "../../contract/xen-abi-arm64.js";
import type { DomainCreation } from "../architecture.js";
import { arm64Architecture } from "./architecture.js";

const v2 = arm64.XEN_DOMCTL_CONFIG_GIC_V2;
const v3 = arm64.XEN_DOMCTL_CONFIG_GIC_V3;

const creation: DomainCreation = {
  ...{ label: 0, createFlags: abi.XEN_DOMCTL_CDF_hvm | abi.XEN_DOMCTL_CDF_hap },
  ...{
    maxVcpus: 1,
    devices: v3,
    sharedInterrupts: 32,
    maxEventChannelPort: 127,
    cpuPool: 0,
    grantFrames: 1,
    maptrackFrames: 0,
  },
};
const uart = creation.createFlags | abi.XEN_DOMCTL_CDF_xen_log;

function refusal(change: Partial<DomainCreation>, gic = v3): number {
  return arm64Architecture(gic).creationError({ ...creation, ...change });
}

/** A context with 32-bit words at these offsets. */
function context(words: Readonly<Record<number, number>>): Uint8Array {
  const view = new DataView(new ArrayBuffer(arm64.vcpu_guest_context_size));
  for (const [offset, word] of Object.entries(words)) view.setUint32(Number(offset), word, true);
  return new Uint8Array(view.buffer);
}

describe("a domain on arm64", () => {
  it("has the GIC that the host has, by name", () => {
    expect(refusal({ devices: v3 })).toBe(0);
    expect(refusal({ devices: v2 }, v2)).toBe(0);
    for (const devices of [0, v2, 3, 0xff]) expect(refusal({ devices })).toBe(abi.XEN_ENODEV);
    expect(refusal({ devices: v3 }, v2)).toBe(abi.XEN_ENODEV);
  });

  it("has as many vCPUs as its GIC has room for", () => {
    expect(refusal({ maxVcpus: 128 })).toBe(0);
    expect(refusal({ maxVcpus: 129 })).toBe(abi.XEN_EINVAL);
    expect(refusal({ devices: v2, maxVcpus: 8 }, v2)).toBe(0);
    expect(refusal({ devices: v2, maxVcpus: 9 }, v2)).toBe(abi.XEN_EINVAL);
  });

  it("has no TEE, and no more shared interrupts than a host's first domain", () => {
    expect(refusal({ devices: v3 | (1 << 16) })).toBe(abi.XEN_EPERM);
    expect(refusal({ sharedInterrupts: 960 })).toBe(0);
    expect(refusal({ sharedInterrupts: 961 })).toBe(abi.XEN_EPERM);
  });

  it("that may write to Xen's log has an interrupt for its UART", () => {
    expect(refusal({ sharedInterrupts: 0 })).toBe(0);
    expect(refusal({ createFlags: uart, sharedInterrupts: 0 })).toBe(abi.XEN_EINVAL);
    expect(refusal({ createFlags: uart, sharedInterrupts: 1 })).toBe(0);
  });

  it("with a GICv2 has its CPU interface mapped from the beginning", () => {
    expect(arm64Architecture(v3).newTables().pages).toBe(0);
    expect(arm64Architecture(v2).newTables().pages).toBe(3);
  });
});

describe("the context of a vCPU on arm64", () => {
  const { contextOf, loadContext } = arm64Architecture(v3);
  const mode = arm64.vcpu_guest_context_user_regs_cpsr_offset;
  const saved = arm64.vcpu_guest_context_user_regs_spsr_el1_offset;

  it("is of a mode of EL1 or EL0 with 64 bits, now and where it returns to", () => {
    const taken = (offset: number): readonly number[] =>
      Array.from({ length: 32 }, (_, bits) => bits).filter((bits) => {
        const words = { [mode]: arm64.PSR_GUEST64_INIT, [offset]: 0x80000000 + bits };
        return loadContext(context(words), 1) === 0;
      });
    expect(taken(mode)).toEqual([0, 4, 5]);
    expect(taken(saved)).toEqual([0, 4, 5]);
  });

  it("wants a vCPU", () => {
    expect(loadContext(context({ [mode]: arm64.PSR_GUEST64_INIT }), 0)).toBe(abi.XEN_EINVAL);
  });

  it("is set by setvcpucontext of vCPU 0, and by nothing else", () => {
    const domctl = new DataView(new ArrayBuffer(abi.xen_domctl_size));
    domctl.setBigUint64(abi.xen_domctl_u_vcpucontext_ctxt_offset, 0x1000n, true);
    expect(contextOf(abi.XEN_DOMCTL_setvcpucontext, domctl)).toMatchObject({
      address: 0x1000n,
      bytes: arm64.vcpu_guest_context_size,
    });
    expect(contextOf(abi.XEN_DOMCTL_sethvmcontext, domctl)).toBeUndefined();
    domctl.setUint32(abi.xen_domctl_u_vcpucontext_vcpu_offset, 1, true);
    expect(contextOf(abi.XEN_DOMCTL_setvcpucontext, domctl)).toBeUndefined();
  });
});
