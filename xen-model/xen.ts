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
import { creationError } from "./create-domain.js";
import { GuestMemory } from "./guest-memory.js";
import { GuestTables } from "./guest-tables.js";
import { loadContext } from "./hvm-context.js";
import type { Hypercall, HypercallName, Injection } from "./hypercalls.js";

/** CONFIG_CTLDOM_MAX_ORDER's default, xen/common/memory.c: 1 GiB. */
const CONTROL_DOMAIN_MAX_ORDER = 18;
/** What a domain takes of the host's memory at its creation: structures, tables of its CPU. */
const DOMAIN_STRUCTURE_PAGES = 16;
/** hap_enable(), xen/arch/x86/mm/hap/hap.c: memory for paging structures from the start. */
const INITIAL_POOL_PAGES = 256;
/** What one vCPU takes. */
const VCPU_PAGES = 12;

/** A domain that the boot domain has created. */
export interface ModelDomain {
  readonly domid: number;
  readonly createFlags: number;
  readonly maxVcpus: number;
  readonly memory: GuestMemory;
  readonly tables: GuestTables;
  vcpus: number;
  /** Pages that Xen itself took for it. */
  structurePages: number;
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
  /** Asked before each hypercall for what it is to give instead. */
  readonly inject?: ((call: Hypercall) => Injection | undefined) | undefined;
  /** Told of each hypercall after it, with its answer, which the exit has not, and its end. */
  readonly observe?:
    | ((call: Hypercall, answer: number | undefined, endNs: number) => void)
    | undefined;
}

/** How many units a hypercall does that nothing limits. */
const ALL = Number.POSITIVE_INFINITY;

export class XenModel {
  readonly domains = new Map<number, ModelDomain>();
  readonly consoleLines: string[] = [];
  exit: ModelExit | undefined;
  /** Virtual time in nanoseconds. */
  now = 0;
  freePages: number;
  hypercalls = 0;

  readonly #memory: BootDomainMemory;
  readonly #options: XenModelOptions;
  readonly #occurrences = new Map<HypercallName, number>();
  #console = "";

  constructor(memory: BootDomainMemory, options: XenModelOptions) {
    this.#memory = memory;
    this.#options = options;
    this.freePages = options.freePages;
  }

  /** do_domctl(), xen/common/domctl.c. */
  domctl(address: bigint): number {
    const op = this.#memory.at(address, abi.xen_domctl_size);
    if (op === undefined) return -abi.XEN_EFAULT;
    const version = op.getUint32(abi.xen_domctl_interface_version_offset, true);
    if (version !== abi.XEN_DOMCTL_INTERFACE_VERSION) return -abi.XEN_EACCES;
    const domid = op.getUint16(abi.xen_domctl_domain_offset, true);
    const command = op.getUint32(abi.xen_domctl_cmd_offset, true);
    const on = (run: (domain: ModelDomain) => number) => (): number => {
      const domain = this.domains.get(domid);
      return domain === undefined ? -abi.XEN_ESRCH : run(domain);
    };
    const pages = (bytes: bigint): string => `${bytes / BigInt(PAGE_SIZE)} pages`;
    switch (command) {
      case abi.XEN_DOMCTL_createdomain: {
        const flags = op.getUint32(abi.xen_domctl_u_createdomain_flags_offset, true);
        const details = (): string => `flags 0x${flags.toString(16)}`;
        return this.#call("createDomain", domid, details, () => this.#createDomain(op, domid));
      }
      case abi.XEN_DOMCTL_max_vcpus: {
        const vcpus = op.getUint32(abi.xen_domctl_u_max_vcpus_max_offset, true);
        const run = on((domain) => this.#allocateVcpus(domain, vcpus));
        return this.#call("allocateVcpus", domid, () => String(vcpus), run);
      }
      case abi.XEN_DOMCTL_set_paging_mempool_size: {
        const bytes = op.getBigUint64(abi.xen_domctl_u_paging_mempool_size_offset, true);
        const run = on((domain) => this.#setPagingPool(domain, bytes));
        return this.#call("setPagingPool", domid, () => pages(bytes), run);
      }
      case abi.XEN_DOMCTL_max_mem: {
        const bytes = op.getBigUint64(abi.xen_domctl_u_max_mem_max_memkb_offset, true) * 1024n;
        const run = on((domain) => {
          domain.maxPages = Number(bytes / BigInt(PAGE_SIZE));
          return 0;
        });
        return this.#call("limitMemory", domid, () => pages(bytes), run);
      }
      case abi.XEN_DOMCTL_sethvmcontext: {
        const size = op.getUint32(abi.xen_domctl_u_hvmcontext_size_offset, true);
        const run = on((domain) => this.#setContext(domain, op, size));
        return this.#call("setContext", domid, () => `${size} bytes`, run);
      }
      case abi.XEN_DOMCTL_unpausedomain:
        return this.#call(
          "start",
          domid,
          none,
          on((domain) => this.#unpause(domain)),
        );
      case abi.XEN_DOMCTL_destroydomain:
        return this.#call(
          "destroy",
          domid,
          none,
          on((domain) => this.#destroy(domain)),
        );
      default:
        return -abi.XEN_ENOSYS;
    }
  }

  /** do_memory_op(), xen/common/memory.c. */
  memoryOp(command: number, address: bigint): number {
    if (command !== abi.XENMEM_populate_physmap) return -abi.XEN_ENOSYS;
    const reservation = this.#memory.at(address, abi.xen_memory_reservation_size);
    if (reservation === undefined) return -abi.XEN_EFAULT;
    const domid = reservation.getUint16(abi.xen_memory_reservation_domid_offset, true);
    const details = (): string => {
      const order = reservation.getUint32(abi.xen_memory_reservation_extent_order_offset, true);
      const extents = reservation.getBigUint64(abi.xen_memory_reservation_nr_extents_offset, true);
      const start = reservation.getBigUint64(abi.xen_memory_reservation_extent_start_offset, true);
      const first = this.#memory.at(start, 8)?.getBigUint64(0, true) ?? 0n;
      return `gfn ${hex(first)}, ${extents} extents of order ${order}`;
    };
    const extents = reservation.getBigUint64(abi.xen_memory_reservation_nr_extents_offset, true);
    const run = (most: number): number => this.#populate(reservation, most);
    return this.#call("populate", domid, details, run, { wanted: Number(extents) });
  }

  /** do_console_io(), xen/drivers/char/console.c. */
  consoleWrite(address: bigint, bytes: number): number {
    const text = this.#memory.at(address, bytes);
    if (text === undefined) return -abi.XEN_EFAULT;
    return this.#call(
      "console",
      0,
      () => `${bytes} bytes`,
      () => {
        this.now += bytes * CONSOLE_BYTE_NS;
        const lines = (this.#console + new TextDecoder().decode(text)).split("\n");
        this.#console = lines.pop() ?? "";
        this.consoleLines.push(...lines);
        return 0;
      },
    );
  }

  /** do_boot_domain_op(), xen/common/boot_domain.c. */
  bootDomainOp(command: number, address: bigint): number {
    if (command === abi.XEN_BOOT_DOMAIN_exit) {
      const exit = this.#memory.at(address, abi.xen_boot_domain_exit_size);
      if (exit === undefined) return -abi.XEN_EFAULT;
      const status = exit.getUint32(abi.xen_boot_domain_exit_status_offset, true);
      return this.#call(
        "exit",
        0,
        () => `status ${status}`,
        () => this.#exit(exit, status),
      );
    }
    const copy = command === abi.XEN_BOOT_DOMAIN_copy;
    if (!copy && command !== abi.XEN_BOOT_DOMAIN_clear) return -abi.XEN_ENOSYS;
    const fill = this.#memory.at(address, abi.xen_boot_domain_fill_size);
    if (fill === undefined) return -abi.XEN_EFAULT;
    const domid = fill.getUint16(abi.xen_boot_domain_fill_domid_offset, true);
    const gfn = fill.getBigUint64(abi.xen_boot_domain_fill_gfn_offset, true);
    const source = fill.getBigUint64(abi.xen_boot_domain_fill_source_gfn_offset, true);
    const pages = fill.getBigUint64(abi.xen_boot_domain_fill_nr_pages_offset, true);
    const run = (most: number): number => {
      const asked = Math.min(Number(pages), most);
      return this.#fill(domid, Number(gfn), copy ? Number(source) : undefined, asked);
    };
    const details = (): string =>
      `gfn ${hex(gfn)}, ${pages} pages${copy ? ` from gfn ${hex(source)}` : ""}`;
    return this.#call(copy ? "copy" : "clear", domid, details, run, {
      wanted: Number(pages),
      sourceFrame: copy ? Number(source) : undefined,
    });
  }

  /** The boot domain ends without an exit: boot_domain_shutdown(), xen/common/boot_domain.c. */
  crash(): void {
    this.#destroyUnstarted();
  }

  #call(
    name: HypercallName,
    domid: number,
    details: () => string,
    run: (most: number) => number,
    units: Pick<Hypercall, "wanted" | "sourceFrame"> = { wanted: 1 },
  ): number {
    this.hypercalls++;
    const occurrence = (this.#occurrences.get(name) ?? 0) + 1;
    this.#occurrences.set(name, occurrence);
    const call: Hypercall = {
      ...{ number: this.hypercalls, name, occurrence, domid, details, ...units },
      atNs: this.now,
    };
    this.now += HYPERCALL_NS;
    const injection = this.#options.inject?.(call);
    let answer: number | undefined;
    try {
      answer = injection === undefined ? run(ALL) : this.#doPart(injection, run);
      return answer;
    } finally {
      this.#options.observe?.(call, answer, this.now);
    }
  }

  #doPart({ answer, done }: Injection, run: (most: number) => number): number {
    if (done > 0) run(done);
    return answer;
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
    const refused = creationError({
      ...{ createFlags, maxVcpus },
      emulationFlags: field(abi.xen_domctl_u_createdomain_arch_emulation_flags_offset),
      grantFrames: op.getInt32(abi.xen_domctl_u_createdomain_max_grant_frames_offset, true),
      maptrackFrames: op.getInt32(abi.xen_domctl_u_createdomain_max_maptrack_frames_offset, true),
    });
    if (domid === 0 || domid > MAX_DOMID) return -abi.XEN_EINVAL;
    if (this.domains.has(domid)) return -abi.XEN_EEXIST;
    if (refused !== 0) return -refused;
    // Small structures share pages: every second domain begins a new one.
    const structurePages = DOMAIN_STRUCTURE_PAGES + (this.domains.size % 2);
    if (!this.#take(structurePages + INITIAL_POOL_PAGES)) return -abi.XEN_ENOMEM;
    this.domains.set(domid, {
      ...{ domid, createFlags, maxVcpus, memory: new GuestMemory(), tables: new GuestTables() },
      ...{ vcpus: 0, structurePages, pagingPoolPages: INITIAL_POOL_PAGES },
      ...{ maxPages: 0, totalPages: 0, context: undefined, started: false },
    });
    return 0;
  }

  /** XEN_DOMCTL_max_vcpus, xen/common/domctl.c. */
  #allocateVcpus(domain: ModelDomain, vcpus: number): number {
    if (vcpus !== domain.maxVcpus) return -abi.XEN_EINVAL;
    const pages = (vcpus - domain.vcpus) * VCPU_PAGES;
    if (!this.#take(pages)) return -abi.XEN_ENOMEM;
    domain.structurePages += pages;
    domain.vcpus = vcpus;
    return 0;
  }

  /** arch_set_paging_mempool_size(), xen/arch/x86/mm/paging.c, and hap_set_allocation(). */
  #setPagingPool(domain: ModelDomain, bytes: bigint): number {
    if (bytes % BigInt(PAGE_SIZE) !== 0n) return -abi.XEN_EINVAL;
    const pages = Number(bytes / BigInt(PAGE_SIZE));
    if (pages < domain.tables.pages) return -abi.XEN_ENOMEM;
    const most = Math.min(pages - domain.pagingPoolPages, this.freePages);
    this.#take(most);
    domain.pagingPoolPages += most;
    return domain.pagingPoolPages === pages ? 0 : -abi.XEN_ENOMEM;
  }

  /** populate_physmap(), xen/common/memory.c: the number of extents done, even if not all. */
  #populate(reservation: DataView, most: number): number {
    const asked = Number(
      reservation.getBigUint64(abi.xen_memory_reservation_nr_extents_offset, true),
    );
    const order = reservation.getUint32(abi.xen_memory_reservation_extent_order_offset, true);
    const domid = reservation.getUint16(abi.xen_memory_reservation_domid_offset, true);
    const start = reservation.getBigUint64(abi.xen_memory_reservation_extent_start_offset, true);
    const domain = this.domains.get(domid);
    if (domain === undefined) return -abi.XEN_ESRCH;
    if (order > CONTROL_DOMAIN_MAX_ORDER) return 0;
    const pages = 2 ** order;
    const extents = Math.min(asked, most);
    for (let extent = 0; extent < extents; extent++) {
      const gfn = this.#memory.at(start + BigInt(extent * 8), 8)?.getBigUint64(0, true);
      if (gfn === undefined) return extent;
      const frame = Number(gfn);
      if (domain.totalPages + pages > domain.maxPages) return extent;
      if (!this.#take(pages)) return extent;
      if (!domain.tables.map(frame, order, domain.pagingPoolPages)) {
        this.freePages += pages;
        return extent;
      }
      this.now += pages * POPULATE_PAGE_NS;
      domain.totalPages += pages;
      domain.memory.populate(frame, pages);
    }
    return extents;
  }

  /** boot_domain_fill(), xen/common/boot_domain.c; no source: the pages are cleared. */
  #fill(domid: number, gfn: number, source: number | undefined, pages: number): number {
    const domain = this.domains.get(domid);
    if (domain === undefined) return -abi.XEN_ESRCH;
    if (domain.started) return -abi.XEN_EPERM;
    for (let page = 0; page < pages; page++) {
      if (!domain.memory.isPopulated(gfn + page)) return -abi.XEN_ENOENT;
      const content =
        source === undefined ? new Uint8Array(PAGE_SIZE) : this.#memory.frame(source + page);
      if (content === undefined) return -abi.XEN_ENOENT;
      this.now += source === undefined ? CLEAR_PAGE_NS : COPY_PAGE_NS;
      domain.memory.write(gfn + page, content);
    }
    return 0;
  }

  /** XEN_DOMCTL_sethvmcontext, xen/arch/x86/domctl.c. */
  #setContext(domain: ModelDomain, op: DataView, size: number): number {
    const buffer = op.getBigUint64(abi.xen_domctl_u_hvmcontext_buffer_offset, true);
    const view = this.#memory.at(buffer, size);
    if (view === undefined) return -abi.XEN_EFAULT;
    const context = new Uint8Array(view.buffer, view.byteOffset, size).slice();
    // Xen copies it first: into a page of small structures, if the last domain began one.
    if (this.freePages === 0 && this.domains.size % 2 === 1) return -abi.XEN_ENOMEM;
    const error = loadContext(context, domain.vcpus);
    if (error !== 0) return -error;
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
    this.freePages += domain.totalPages + domain.pagingPoolPages + domain.structurePages;
    this.domains.delete(domain.domid);
    return 0;
  }

  /** boot_domain_exit() and clean_up(), xen/common/boot_domain.c. */
  #exit(exit: DataView, status: number): never {
    this.exit = {
      status,
      step: exit.getUint32(abi.xen_boot_domain_exit_step_offset, true),
      operation: exit.getUint32(abi.xen_boot_domain_exit_operation_offset, true),
      domain: exit.getUint32(abi.xen_boot_domain_exit_domain_offset, true),
      error: exit.getInt32(abi.xen_boot_domain_exit_error_offset, true),
    };
    if (status !== 0) this.#destroyUnstarted();
    throw new BootDomainExited();
  }

  #destroyUnstarted(): void {
    for (const domain of [...this.domains.values()]) if (!domain.started) this.#destroy(domain);
  }
}

const none = (): string => "";

function hex(number: bigint): string {
  return `0x${number.toString(16)}`;
}
