// SPDX-License-Identifier: Apache-2.0
// The model of Xen: what it checks, and that no page is ever lost or made.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as abi from "../contract/xen-abi.js";
import { XEN_DOMCTL_CONFIG_GIC_V3 } from "../contract/xen-abi-arm64.js";
import type { HostArchitecture } from "./architecture.js";
import { arm64Architecture } from "./arm64/architecture.js";
import { x86Architecture } from "./x86_64/architecture.js";
import { XenModel } from "./xen.js";

const freePages = 4096;

/** A model whose boot domain has one page of memory for arguments, at address 0. */
class Bench {
  readonly argument = new DataView(new ArrayBuffer(0x1000));
  readonly xen: XenModel;

  constructor(readonly architecture: HostArchitecture = x86Architecture) {
    this.xen = new XenModel(
      {
        at: (address, bytes) =>
          Number(address) + bytes <= 0x1000
            ? new DataView(this.argument.buffer, Number(address), bytes)
            : undefined,
        frame: (gfn) => (gfn < 16 ? new Uint8Array(4096).fill(gfn) : undefined),
      },
      { freePages, architecture },
    );
  }

  domctl(command: number, domid: number, set: (view: DataView) => void = () => {}): number {
    new Uint8Array(this.argument.buffer).fill(0);
    const version = abi.XEN_DOMCTL_INTERFACE_VERSION;
    this.argument.setUint32(abi.xen_domctl_cmd_offset, command, true);
    this.argument.setUint32(abi.xen_domctl_interface_version_offset, version, true);
    this.argument.setUint16(abi.xen_domctl_domain_offset, domid, true);
    set(this.argument);
    return this.xen.domctl(0n);
  }

  create(domid: number, flags = abi.XEN_DOMCTL_CDF_hvm | abi.XEN_DOMCTL_CDF_hap): number {
    return this.domctl(abi.XEN_DOMCTL_createdomain, domid, (view) => {
      view.setUint32(abi.xen_domctl_u_createdomain_flags_offset, flags, true);
      view.setUint32(abi.xen_domctl_u_createdomain_max_vcpus_offset, 1, true);
      view.setUint32(abi.xen_domctl_u_createdomain_max_grant_frames_offset, 1, true);
      const devices =
        this.architecture === x86Architecture ? abi.XEN_X86_EMU_LAPIC : XEN_DOMCTL_CONFIG_GIC_V3;
      view.setUint32(abi.xen_domctl_u_createdomain_arch_offset, devices, true);
    });
  }

  /** With its vCPU. */
  start(domid: number): number {
    this.domctl(abi.XEN_DOMCTL_max_vcpus, domid, (view) =>
      view.setUint32(abi.xen_domctl_u_max_vcpus_max_offset, 1, true),
    );
    return this.domctl(abi.XEN_DOMCTL_unpausedomain, domid);
  }

  limitMemory(domid: number, pages: number): number {
    return this.domctl(abi.XEN_DOMCTL_max_mem, domid, (view) =>
      view.setBigUint64(abi.xen_domctl_u_max_mem_max_memkb_offset, BigInt(pages) * 4n, true),
    );
  }

  setPagingPool(domid: number, pages: number): number {
    return this.domctl(abi.XEN_DOMCTL_set_paging_mempool_size, domid, (view) =>
      view.setBigUint64(abi.xen_domctl_u_paging_mempool_size_offset, BigInt(pages) * 4096n, true),
    );
  }

  populate(domid: number, gfn: number, order: number): number {
    new Uint8Array(this.argument.buffer).fill(0);
    this.argument.setBigUint64(abi.xen_memory_reservation_extent_start_offset, 0x800n, true);
    this.argument.setBigUint64(abi.xen_memory_reservation_nr_extents_offset, 1n, true);
    this.argument.setUint32(abi.xen_memory_reservation_extent_order_offset, order, true);
    this.argument.setUint16(abi.xen_memory_reservation_domid_offset, domid, true);
    this.argument.setBigUint64(0x800, BigInt(gfn), true);
    return this.xen.memoryOp(abi.XENMEM_populate_physmap, 0n);
  }

  fill(command: number, domid: number, gfn: number, source: number): number {
    new Uint8Array(this.argument.buffer).fill(0);
    this.argument.setBigUint64(abi.xen_boot_domain_fill_gfn_offset, BigInt(gfn), true);
    this.argument.setBigUint64(abi.xen_boot_domain_fill_source_gfn_offset, BigInt(source), true);
    this.argument.setBigUint64(abi.xen_boot_domain_fill_nr_pages_offset, 1n, true);
    this.argument.setUint16(abi.xen_boot_domain_fill_domid_offset, domid, true);
    return this.xen.bootDomainOp(command, 0n);
  }
}

describe.each([
  ["x86-64", x86Architecture],
  ["arm64", arm64Architecture(XEN_DOMCTL_CONFIG_GIC_V3)],
])("the model of Xen on %s", (_, architecture) => {
  it("takes domid 0 as any other, refuses one twice and the boot domain's own", () => {
    const bench = new Bench(architecture);
    expect(bench.create(7)).toBe(0);
    expect(bench.create(7)).toBe(-abi.XEN_EEXIST);
    expect(bench.create(0)).toBe(0);
    expect(bench.create(0x7fef)).toBe(-abi.XEN_EINVAL);
  });

  it("refuses creation flags that are not the boot domain's to give", () => {
    expect(new Bench(architecture).create(1, 0x80000003)).toBe(-abi.XEN_EPERM);
  });

  it("gives each privilege once, again only if its domain was never started", () => {
    const bench = new Bench(architecture);
    const control = 3 | abi.XEN_DOMCTL_CDF_control;
    expect(bench.create(1, control)).toBe(0);
    expect(bench.create(2, control)).toBe(-abi.XEN_EPERM);
    expect(bench.domctl(abi.XEN_DOMCTL_destroydomain, 1)).toBe(0);
    expect(bench.create(2, control)).toBe(0);
    expect(bench.start(2)).toBe(0);
    expect(bench.domctl(abi.XEN_DOMCTL_destroydomain, 2)).toBe(0);
    expect(bench.create(3, control)).toBe(-abi.XEN_EPERM);
  });

  it("answers another interface version with EACCES, and an unknown domain with ESRCH", () => {
    const bench = new Bench(architecture);
    const version = abi.xen_domctl_interface_version_offset;
    const answer = bench.domctl(abi.XEN_DOMCTL_max_mem, 1, (view) =>
      view.setUint32(version, 1, true),
    );
    expect(answer).toBe(-abi.XEN_EACCES);
    expect(bench.limitMemory(1, 1)).toBe(-abi.XEN_ESRCH);
  });

  it("gives a domain no more memory than its limit", () => {
    const bench = new Bench(architecture);
    bench.create(1);
    bench.limitMemory(1, 1);
    expect(bench.populate(1, 0, 0)).toBe(1);
    expect(bench.populate(1, 1, 0)).toBe(0);
  });

  it("fills pages of a domain until it is started, and never after", () => {
    const bench = new Bench(architecture);
    bench.create(1);
    bench.limitMemory(1, 4);
    bench.populate(1, 3, 0);
    expect(bench.fill(abi.XEN_BOOT_DOMAIN_copy, 1, 3, 5)).toBe(0);
    expect(bench.xen.host.domains.get(1)?.memory.read(3)).toEqual(new Uint8Array(4096).fill(5));
    expect(bench.fill(abi.XEN_BOOT_DOMAIN_copy, 1, 4, 5)).toBe(-abi.XEN_ENOENT);
    expect(bench.fill(abi.XEN_BOOT_DOMAIN_copy, 1, 3, 99)).toBe(-abi.XEN_ENOENT);
    expect(bench.fill(abi.XEN_BOOT_DOMAIN_clear, 2, 3, 0)).toBe(-abi.XEN_ESRCH);
    expect(bench.start(1)).toBe(0);
    expect(bench.fill(abi.XEN_BOOT_DOMAIN_clear, 1, 3, 0)).toBe(-abi.XEN_EPERM);
  });

  it("refuses what sets a context on the other architecture", () => {
    const bench = new Bench(architecture);
    bench.create(1);
    const isX86 = architecture === x86Architecture;
    const other = isX86 ? abi.XEN_DOMCTL_setvcpucontext : abi.XEN_DOMCTL_sethvmcontext;
    expect(bench.domctl(other, 1)).toBe(-abi.XEN_EPERM);
  });

  it("starts no domain without its vCPUs", () => {
    const bench = new Bench(architecture);
    bench.create(1);
    expect(bench.domctl(abi.XEN_DOMCTL_unpausedomain, 1)).toBe(-abi.XEN_EPERM);
  });

  it("does not promise that a page nobody wrote is zero", () => {
    const bench = new Bench(architecture);
    bench.create(1);
    bench.limitMemory(1, 1);
    bench.populate(1, 0, 0);
    expect(
      bench.xen.host.domains
        .get(1)
        ?.memory.read(0)
        .some((byte) => byte !== 0),
    ).toBe(true);
  });

  it("neither loses nor makes a page, whatever is done", () => {
    const domid = fc.integer({ min: 1, max: 3 });
    const operation = fc.oneof(
      fc.tuple(fc.constant("create" as const), domid, fc.constant(0)),
      fc.tuple(fc.constant("limitMemory" as const), domid, fc.nat({ max: 2000 })),
      fc.tuple(fc.constant("setPagingPool" as const), domid, fc.nat({ max: 2000 })),
      fc.tuple(fc.constant("populate" as const), domid, fc.nat({ max: 10 })),
      fc.tuple(fc.constant("destroy" as const), domid, fc.constant(0)),
    );
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 40 }), (operations) => {
        const bench = new Bench(architecture);
        for (const [kind, domid, value] of operations) {
          if (kind === "create") bench.create(domid);
          if (kind === "limitMemory") bench.limitMemory(domid, value);
          if (kind === "setPagingPool") bench.setPagingPool(domid, value);
          if (kind === "populate") bench.populate(domid, value * 1024, value);
          if (kind === "destroy") bench.domctl(abi.XEN_DOMCTL_destroydomain, domid);
          const held = [...bench.xen.host.domains.values()].reduce(
            (sum, { totalPages, pagingPoolPages, structurePages }) =>
              sum + totalPages + pagingPoolPages + structurePages,
            0,
          );
          expect(bench.xen.host.freePages + held).toBe(freePages);
        }
      }),
    );
  });
});
