// SPDX-License-Identifier: Apache-2.0
// Xen 4.17 with domb's patches, as far as a launch sees it: domains, their memory, the host's
// budget of pages, the checks of arguments. Each operation names the function in Xen that it
// imitates. Answers are 0 or more, or a negative errno, as Xen's.

import { MAX_DOMID, PAGE_SIZE } from "../contract/limits.js";
import * as abi from "../contract/xen-abi.js";
import {
  CLEAR_PAGE_NS,
  CONSOLE_BYTE_NS,
  COPY_PAGE_NS,
  HYPERCALL_NS,
  POPULATE_PAGE_NS,
} from "./costs.js";
import { GuestMemory } from "./guest-memory.js";
import { contextIsValid } from "./hvm-context.js";
import { DOMAIN_PAGES } from "./memory.js";

/** HVM_MAX_VCPUS, xen/include/public/hvm/hvm_info_table.h. */
const HVM_MAX_VCPUS = 128;
/** CONFIG_CTLDOM_MAX_ORDER's default, xen/common/memory.c: 1 GiB. */
const CONTROL_DOMAIN_MAX_ORDER = 18;
const knownFlags = abi.XEN_DOMCTL_CDF_hvm | abi.XEN_DOMCTL_CDF_hap | abi.XEN_DOMCTL_CDF_xen_log;

/** A domain that the boot domain has created. */
export interface ModelDomain {
  readonly domid: number;
  readonly createFlags: number;
  readonly maxVcpus: number;
  readonly memory: GuestMemory;
  vcpus: number;
  pagingPoolPages: number;
  maxPages: number;
  /** Pages taken for its memory; more than memory.pages if a frame was populated twice. */
  totalPages: number;
  context: Uint8Array | undefined;
  started: boolean;
}

/** How the boot domain left. */
export interface ModelExit {
  readonly status: number;
  readonly step: number;
  readonly operation: number;
  readonly domain: number;
  readonly error: number;
}

/** Thrown by the exit, which does not return to its caller. */
export class BootDomainExited extends Error {}

/** What Xen reads of the boot domain's memory. */
export interface BootDomainMemory {
  /** A view of `bytes` bytes at a virtual address; undefined if they are not there. */
  at(address: bigint, bytes: number): DataView | undefined;
  /** The content of one of its frames; undefined if there is none. */
  frame(gfn: number): Uint8Array | undefined;
}

export interface XenModelOptions {
  /** Pages of the host that are free when the launch begins. */
  readonly freePages: number;
  /** Asked before each hypercall, counted from 1: an errno to give instead of doing it. */
  readonly fault?: ((call: number) => number | undefined) | undefined;
}

export class XenModel {
  readonly domains = new Map<number, ModelDomain>();
  readonly consoleLines: string[] = [];
  exit: ModelExit | undefined;
  /** Virtual time in nanoseconds. */
  now = 0;
  freePages: number;
  hypercalls = 0;

  readonly #memory: BootDomainMemory;
  readonly #fault: (call: number) => number | undefined;
  #console = "";

  constructor(memory: BootDomainMemory, { freePages, fault }: XenModelOptions) {
    this.#memory = memory;
    this.freePages = freePages;
    this.#fault = fault ?? (() => undefined);
  }

  /** do_domctl(), xen/common/domctl.c. */
  domctl(address: bigint): number {
    return this.#hypercall(() => {
      const op = this.#memory.at(address, abi.xen_domctl_size);
      if (op === undefined) return -abi.XEN_EFAULT;
      const version = op.getUint32(abi.xen_domctl_interface_version_offset, true);
      if (version !== abi.XEN_DOMCTL_INTERFACE_VERSION) return -abi.XEN_EACCES;
      const command = op.getUint32(abi.xen_domctl_cmd_offset, true);
      const domid = op.getUint16(abi.xen_domctl_domain_offset, true);
      if (command === abi.XEN_DOMCTL_createdomain) return this.#createDomain(op, domid);
      const domain = this.domains.get(domid);
      if (domain === undefined) return -abi.XEN_ESRCH;
      switch (command) {
        case abi.XEN_DOMCTL_max_vcpus:
          return this.#allocateVcpus(
            domain,
            op.getUint32(abi.xen_domctl_u_max_vcpus_max_offset, true),
          );
        case abi.XEN_DOMCTL_set_paging_mempool_size:
          return this.#setPagingPool(
            domain,
            op.getBigUint64(abi.xen_domctl_u_paging_mempool_size_offset, true),
          );
        case abi.XEN_DOMCTL_max_mem: {
          const kibibytes = op.getBigUint64(abi.xen_domctl_u_max_mem_max_memkb_offset, true);
          domain.maxPages = Number(kibibytes / 4n);
          return 0;
        }
        case abi.XEN_DOMCTL_sethvmcontext:
          return this.#setContext(domain, op);
        case abi.XEN_DOMCTL_unpausedomain:
          return this.#unpause(domain);
        case abi.XEN_DOMCTL_destroydomain:
          return this.#destroy(domain);
        default:
          return -abi.XEN_ENOSYS;
      }
    });
  }

  /** do_memory_op(), xen/common/memory.c. */
  memoryOp(command: number, address: bigint): number {
    return this.#hypercall(() =>
      command === abi.XENMEM_populate_physmap ? this.#populate(address) : -abi.XEN_ENOSYS,
    );
  }

  /** do_console_io(), xen/drivers/char/console.c. */
  consoleWrite(address: bigint, bytes: number): number {
    return this.#hypercall(() => {
      const text = this.#memory.at(address, bytes);
      if (text === undefined) return -abi.XEN_EFAULT;
      this.now += bytes * CONSOLE_BYTE_NS;
      const lines = (this.#console + new TextDecoder().decode(text)).split("\n");
      this.#console = lines.pop() ?? "";
      this.consoleLines.push(...lines);
      return 0;
    });
  }

  /** do_boot_domain_op(), xen/common/boot_domain.c. */
  bootDomainOp(command: number, address: bigint): number {
    return this.#hypercall(() => {
      if (command === abi.XEN_BOOT_DOMAIN_exit) return this.#exit(address);
      if (command === abi.XEN_BOOT_DOMAIN_copy) return this.#fill(address, true);
      if (command === abi.XEN_BOOT_DOMAIN_clear) return this.#fill(address, false);
      return -abi.XEN_ENOSYS;
    });
  }

  #hypercall(run: () => number): number {
    this.now += HYPERCALL_NS;
    this.hypercalls++;
    const error = this.#fault(this.hypercalls);
    return error === undefined ? run() : -error;
  }

  #take(pages: number): boolean {
    if (pages > this.freePages) return false;
    this.freePages -= pages;
    return true;
  }

  /** domain_create() and sanitise_domain_config(), xen/common/domain.c, and their x86 halves. */
  #createDomain(op: DataView, domid: number): number {
    const field = (offset: number): number => op.getUint32(offset, true);
    const createFlags = field(abi.xen_domctl_u_createdomain_flags_offset);
    const maxVcpus = field(abi.xen_domctl_u_createdomain_max_vcpus_offset);
    const emulation = field(abi.xen_domctl_u_createdomain_arch_emulation_flags_offset);
    const grantFrames = field(abi.xen_domctl_u_createdomain_max_grant_frames_offset);
    if (domid === 0 || domid > MAX_DOMID) return -abi.XEN_EINVAL;
    if (this.domains.has(domid)) return -abi.XEN_EEXIST;
    const hardwareAssisted = abi.XEN_DOMCTL_CDF_hvm | abi.XEN_DOMCTL_CDF_hap;
    if ((createFlags & ~knownFlags) !== 0) return -abi.XEN_EINVAL;
    if ((createFlags & hardwareAssisted) !== hardwareAssisted) return -abi.XEN_EINVAL;
    if (maxVcpus < 1 || maxVcpus > HVM_MAX_VCPUS) return -abi.XEN_EINVAL;
    if (emulation !== abi.XEN_X86_EMU_LAPIC) return -abi.XEN_EINVAL;
    if (grantFrames < 1) return -abi.XEN_EINVAL;
    if (!this.#take(DOMAIN_PAGES)) return -abi.XEN_ENOMEM;
    this.domains.set(domid, {
      ...{ domid, createFlags, maxVcpus, memory: new GuestMemory() },
      ...{ vcpus: 0, pagingPoolPages: 0, maxPages: 0, totalPages: 0 },
      ...{ context: undefined, started: false },
    });
    return 0;
  }

  /** XEN_DOMCTL_max_vcpus, xen/common/domctl.c. */
  #allocateVcpus(domain: ModelDomain, vcpus: number): number {
    if (vcpus !== domain.maxVcpus) return -abi.XEN_EINVAL;
    domain.vcpus = vcpus;
    return 0;
  }

  /** arch_set_paging_mempool_size() and hap_set_allocation(), xen/arch/x86/mm. */
  #setPagingPool(domain: ModelDomain, bytes: bigint): number {
    if (bytes % BigInt(PAGE_SIZE) !== 0n) return -abi.XEN_EINVAL;
    const pages = Number(bytes / BigInt(PAGE_SIZE));
    if (!this.#take(pages - domain.pagingPoolPages)) return -abi.XEN_ENOMEM;
    domain.pagingPoolPages = pages;
    return 0;
  }

  /** populate_physmap(), xen/common/memory.c: the number of extents done, even if not all. */
  #populate(address: bigint): number {
    const reservation = this.#memory.at(address, abi.xen_memory_reservation_size);
    if (reservation === undefined) return -abi.XEN_EFAULT;
    const extents = Number(
      reservation.getBigUint64(abi.xen_memory_reservation_nr_extents_offset, true),
    );
    const order = reservation.getUint32(abi.xen_memory_reservation_extent_order_offset, true);
    const domid = reservation.getUint16(abi.xen_memory_reservation_domid_offset, true);
    const start = reservation.getBigUint64(abi.xen_memory_reservation_extent_start_offset, true);
    const domain = this.domains.get(domid);
    if (domain === undefined) return -abi.XEN_ESRCH;
    if (order > CONTROL_DOMAIN_MAX_ORDER) return 0;
    const pages = 2 ** order;
    for (let extent = 0; extent < extents; extent++) {
      const gfn = this.#memory.at(start + BigInt(extent * 8), 8)?.getBigUint64(0, true);
      if (gfn === undefined) return extent;
      if (domain.totalPages + pages > domain.maxPages || !this.#take(pages)) return extent;
      this.now += pages * POPULATE_PAGE_NS;
      domain.totalPages += pages;
      domain.memory.populate(Number(gfn), pages);
    }
    return extents;
  }

  /** boot_domain_fill(), xen/common/boot_domain.c. */
  #fill(address: bigint, copy: boolean): number {
    const fill = this.#memory.at(address, abi.xen_boot_domain_fill_size);
    if (fill === undefined) return -abi.XEN_EFAULT;
    const gfn = Number(fill.getBigUint64(abi.xen_boot_domain_fill_gfn_offset, true));
    const source = Number(fill.getBigUint64(abi.xen_boot_domain_fill_source_gfn_offset, true));
    const pages = Number(fill.getBigUint64(abi.xen_boot_domain_fill_nr_pages_offset, true));
    const domid = fill.getUint16(abi.xen_boot_domain_fill_domid_offset, true);
    const domain = this.domains.get(domid);
    if (domain === undefined) return -abi.XEN_ESRCH;
    if (domain.started) return -abi.XEN_EPERM;
    for (let page = 0; page < pages; page++) {
      if (!domain.memory.isPopulated(gfn + page)) return -abi.XEN_ENOENT;
      const content = copy ? this.#memory.frame(source + page) : new Uint8Array(PAGE_SIZE);
      if (content === undefined) return -abi.XEN_ENOENT;
      this.now += copy ? COPY_PAGE_NS : CLEAR_PAGE_NS;
      domain.memory.write(gfn + page, content);
    }
    return 0;
  }

  /** XEN_DOMCTL_sethvmcontext, xen/arch/x86/domctl.c. */
  #setContext(domain: ModelDomain, op: DataView): number {
    const size = op.getUint32(abi.xen_domctl_u_hvmcontext_size_offset, true);
    const buffer = op.getBigUint64(abi.xen_domctl_u_hvmcontext_buffer_offset, true);
    const view = this.#memory.at(buffer, size);
    if (view === undefined) return -abi.XEN_EFAULT;
    const context = new Uint8Array(view.buffer, view.byteOffset, size).slice();
    if (!contextIsValid(context, domain.vcpus)) return -abi.XEN_EINVAL;
    domain.context = context;
    return 0;
  }

  /** domain_unpause_by_systemcontroller(), xen/common/domain.c. */
  #unpause(domain: ModelDomain): number {
    if (domain.started) return -abi.XEN_EINVAL;
    domain.started = true;
    return 0;
  }

  /** domain_kill(), xen/common/domain.c. */
  #destroy(domain: ModelDomain): number {
    this.freePages += domain.totalPages + domain.pagingPoolPages + DOMAIN_PAGES;
    this.domains.delete(domain.domid);
    return 0;
  }

  /** boot_domain_exit() and clean_up(), xen/common/boot_domain.c. */
  #exit(address: bigint): number {
    const exit = this.#memory.at(address, abi.xen_boot_domain_exit_size);
    if (exit === undefined) return -abi.XEN_EFAULT;
    this.exit = {
      status: exit.getUint32(abi.xen_boot_domain_exit_status_offset, true),
      step: exit.getUint32(abi.xen_boot_domain_exit_step_offset, true),
      operation: exit.getUint32(abi.xen_boot_domain_exit_operation_offset, true),
      domain: exit.getUint32(abi.xen_boot_domain_exit_domain_offset, true),
      error: exit.getInt32(abi.xen_boot_domain_exit_error_offset, true),
    };
    if (this.exit.status !== 0) {
      for (const domain of [...this.domains.values()]) if (!domain.started) this.#destroy(domain);
    }
    throw new BootDomainExited();
  }
}
