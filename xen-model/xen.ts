// SPDX-License-Identifier: Apache-2.0
// Xen's hypercalls as far as a launch makes them: their arguments read from the boot domain's memory
// and checked, faults put in their place, each one told to who watches. Answers are 0 or more, or a
// negative errno, as Xen's.

import { PAGE_SIZE } from "../contract/limits.js";
import * as abi from "../contract/xen-abi.js";
import type { DomainCreation, HostArchitecture } from "./architecture.js";
import { CONSOLE_BYTE_NS, HYPERCALL_NS } from "./costs.js";
import type { Behaviour, News } from "./domain-life.js";
import type { GrantLimits } from "./domain-tables.js";
import { Flask } from "./flask.js";
import { type ModelDomain, ModelHost } from "./host.js";
import type { Hypercall, HypercallName, Injection } from "./hypercalls.js";

export type { ModelDomain } from "./host.js";

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
  readonly architecture: HostArchitecture;
  /** The FLASK policy that Xen enforces. */
  readonly policy?: Uint8Array | undefined;
  /** Physical CPUs of the host; default: 8. */
  readonly cpus?: number | undefined;
  /** What a domain's grant tables may have; default: what Xen allows unless it is told otherwise. */
  readonly grantLimits?: GrantLimits | undefined;
  /** What each domain does once it runs; default: it runs on, silent. */
  readonly behaviourOf?: ((domid: number) => Behaviour | undefined) | undefined;
  /** Asked before each hypercall for what it is to give instead. */
  readonly inject?: ((call: Hypercall) => Injection | undefined) | undefined;
  readonly observe?: Observe | undefined;
}

/**
 * Told of each hypercall after it: with its answer, which the exit has not, its end, and of a wait
 * what it told.
 */
export type Observe = (
  call: Hypercall,
  answer: number | undefined,
  endNs: number,
  heard: News | undefined,
) => void;

/** How many units a hypercall does that nothing limits. */
const ALL = Number.POSITIVE_INFINITY;

export class XenModel {
  readonly host: ModelHost;
  readonly consoleLines: string[] = [];
  exit: ModelExit | undefined;
  hypercalls = 0;

  readonly #memory: BootDomainMemory;
  readonly #options: XenModelOptions;
  readonly #occurrences = new Map<HypercallName, number>();
  /** What the last hypercall told of a domain. */
  #heard: News | undefined;
  #console = "";

  constructor(memory: BootDomainMemory, options: XenModelOptions) {
    this.#memory = memory;
    this.#options = options;
    const { freePages, architecture, policy, cpus, behaviourOf, grantLimits } = options;
    const flask = policy && new Flask(policy);
    this.host = new ModelHost(freePages, { architecture, flask, cpus, behaviourOf, grantLimits });
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
      const domain = this.host.domains.get(domid);
      if (domain === undefined) return -abi.XEN_ESRCH;
      const sealed = domain.started && command !== abi.XEN_DOMCTL_destroydomain;
      return sealed ? -abi.XEN_EPERM : run(domain);
    };
    const pages = (bytes: bigint): string => `${bytes / BigInt(PAGE_SIZE)} pages`;
    switch (command) {
      case abi.XEN_DOMCTL_createdomain: {
        const flags = op.getUint32(abi.xen_domctl_u_createdomain_flags_offset, true);
        const details = (): string => `flags 0x${flags.toString(16)}`;
        const run = (): number => this.host.createDomain(domid, creationOf(op));
        return this.#call("createDomain", domid, details, run);
      }
      case abi.XEN_DOMCTL_max_vcpus: {
        const vcpus = op.getUint32(abi.xen_domctl_u_max_vcpus_max_offset, true);
        const run = on((domain) => this.host.allocateVcpus(domain, vcpus));
        return this.#call("allocateVcpus", domid, () => String(vcpus), run);
      }
      case abi.XEN_DOMCTL_set_paging_mempool_size: {
        const bytes = op.getBigUint64(abi.xen_domctl_u_paging_mempool_size_offset, true);
        const run = on((domain) => this.host.setPagingPool(domain, bytes));
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
      case abi.XEN_DOMCTL_setvcpuaffinity: {
        const vcpu = op.getUint32(abi.xen_domctl_u_vcpuaffinity_vcpu_offset, true);
        const bitmap = abi.xen_domctl_u_vcpuaffinity_cpumap_hard_bitmap_offset;
        const cpus = this.#cpusAt(op.getBigUint64(bitmap, true));
        const run = on(({ cpuPool, maxVcpus, vcpus }) => {
          if (vcpu >= maxVcpus) return -abi.XEN_EINVAL;
          if (vcpu >= vcpus) return -abi.XEN_ESRCH;
          return this.host.processors.setAffinity(cpuPool, cpus);
        });
        const details = (): string => `vCPU ${vcpu} on CPUs ${[...cpus].join(", ")}`;
        return this.#call("setAffinity", domid, details, run);
      }
      case abi.XEN_DOMCTL_scheduler_op: {
        const scheduler = op.getUint32(abi.xen_domctl_u_scheduler_op_sched_id_offset, true);
        const run = on(({ cpuPool }) => this.host.processors.setShare(cpuPool, scheduler));
        return this.#call("setShare", domid, () => `scheduler ${scheduler}`, run);
      }
      case abi.XEN_DOMCTL_unpausedomain:
        return this.#call(
          "start",
          domid,
          none,
          on((domain) => this.host.unpause(domain)),
        );
      case abi.XEN_DOMCTL_destroydomain:
        return this.#call(
          "destroy",
          domid,
          none,
          on((domain) => this.host.destroy(domain)),
        );
      default: {
        const argument = this.host.architecture.contextOf(command, op);
        if (argument === undefined) return -abi.XEN_EPERM;
        const { address, bytes, details } = argument;
        const run = on((domain) => {
          const view = this.#memory.at(address, bytes);
          if (view === undefined) return -abi.XEN_EFAULT;
          const context = new Uint8Array(view.buffer, view.byteOffset, bytes).slice();
          return this.host.setContext(domain, context);
        });
        return this.#call("setContext", domid, () => details, run);
      }
    }
  }

  /** do_memory_op(), xen/common/memory.c. */
  memoryOp(command: number, address: bigint): number {
    if (command !== abi.XENMEM_populate_physmap) return -abi.XEN_EPERM;
    const reservation = this.#memory.at(address, abi.xen_memory_reservation_size);
    if (reservation === undefined) return -abi.XEN_EFAULT;
    const domid = reservation.getUint16(abi.xen_memory_reservation_domid_offset, true);
    const extents = Number(
      reservation.getBigUint64(abi.xen_memory_reservation_nr_extents_offset, true),
    );
    const order = reservation.getUint32(abi.xen_memory_reservation_extent_order_offset, true);
    const start = reservation.getBigUint64(abi.xen_memory_reservation_extent_start_offset, true);
    const frameOf = (extent: number): number | undefined => {
      const gfn = this.#memory.at(start + BigInt(extent * 8), 8)?.getBigUint64(0, true);
      return gfn === undefined ? undefined : Number(gfn);
    };
    const details = (): string =>
      `gfn ${hex(BigInt(frameOf(0) ?? 0))}, ${extents} extents of order ${order}`;
    const run = (most: number): number =>
      this.host.populate(domid, order, Math.min(extents, most), frameOf);
    return this.#call("populate", domid, details, run, { wanted: extents });
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
        this.host.now += bytes * CONSOLE_BYTE_NS;
        const lines = (this.#console + new TextDecoder().decode(text)).split("\n");
        this.#console = lines.pop() ?? "";
        this.consoleLines.push(...lines);
        return 0;
      },
    );
  }

  /** do_flask_op(), xen/xsm/flask/flask_op.c. */
  xsmOp(address: bigint): number {
    const op = this.#memory.at(address, abi.xen_flask_op_size);
    if (op === undefined) return -abi.XEN_EFAULT;
    const bytes = op.getUint32(abi.xen_flask_op_u_sid_context_size_offset, true);
    const context = op.getBigUint64(abi.xen_flask_op_u_sid_context_context_offset, true);
    const text = this.#memory.at(context, bytes);
    if (text === undefined) return -abi.XEN_EFAULT;
    const [label = ""] = new TextDecoder("latin1").decode(text).split("\0");
    return this.#call(
      "label",
      0,
      () => label,
      () => {
        const { flask } = this.host;
        if (flask === undefined) return -abi.XEN_ENOSYS;
        const sid = flask.sidOf(label);
        if (sid === undefined) return -abi.XEN_EINVAL;
        op.setUint32(abi.xen_flask_op_u_sid_context_sid_offset, sid, true);
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
    if (command === abi.XEN_BOOT_DOMAIN_drop) {
      const drop = this.#memory.at(address, abi.xen_boot_domain_drop_size);
      if (drop === undefined) return -abi.XEN_EFAULT;
      const privileges = drop.getUint32(abi.xen_boot_domain_drop_privileges_offset, true);
      const details = (): string => `privileges ${hex(BigInt(privileges))}`;
      const version = drop.getUint32(abi.xen_boot_domain_drop_interface_version_offset, true);
      const reserved = drop.getUint32(abi.xen_boot_domain_drop_reserved_offset, true);
      const pages = Number(drop.getBigUint64(abi.xen_boot_domain_drop_reserved_pages_offset, true));
      const run = (): number =>
        version === abi.XEN_DOMCTL_INTERFACE_VERSION
          ? this.host.drop(privileges, reserved, pages)
          : -abi.XEN_EACCES;
      return this.#call("drop", 0, details, run);
    }
    if (command === abi.XEN_BOOT_DOMAIN_policy) {
      const part = this.#memory.at(address, abi.xen_boot_domain_part_size);
      if (part === undefined) return -abi.XEN_EFAULT;
      return this.#call("policy", 0, none, () => this.#readPolicy(part));
    }
    if (command === abi.XEN_BOOT_DOMAIN_wait) return this.#wait(address);
    if (command === abi.XEN_BOOT_DOMAIN_channel) return this.#openChannel(address);
    if (command === abi.XEN_BOOT_DOMAIN_grant) return this.#grant(address);
    const copy = command === abi.XEN_BOOT_DOMAIN_copy;
    if (!copy && command !== abi.XEN_BOOT_DOMAIN_clear) return -abi.XEN_ENOSYS;
    const fill = this.#memory.at(address, abi.xen_boot_domain_fill_size);
    if (fill === undefined) return -abi.XEN_EFAULT;
    const domid = fill.getUint16(abi.xen_boot_domain_fill_domid_offset, true);
    const gfn = fill.getBigUint64(abi.xen_boot_domain_fill_gfn_offset, true);
    const source = fill.getBigUint64(abi.xen_boot_domain_fill_source_gfn_offset, true);
    const pages = fill.getBigUint64(abi.xen_boot_domain_fill_nr_pages_offset, true);
    const sourcePage = (page: number): Uint8Array | undefined =>
      this.#memory.frame(Number(source) + page);
    const run = (most: number): number => {
      const asked = Math.min(Number(pages), most);
      return this.host.fill(domid, Number(gfn), asked, copy ? sourcePage : undefined);
    };
    const details = (): string =>
      `gfn ${hex(gfn)}, ${pages} pages${copy ? ` from gfn ${hex(source)}` : ""}`;
    return this.#call(copy ? "copy" : "clear", domid, details, run, {
      wanted: Number(pages),
      sourceFrame: copy ? Number(source) : undefined,
    });
  }

  #wait(address: bigint): number {
    const wait = this.#memory.at(address, abi.xen_boot_domain_wait_size);
    if (wait === undefined) return -abi.XEN_EFAULT;
    const timeout = Number(wait.getBigUint64(abi.xen_boot_domain_wait_timeout_offset, true));
    const details = (): string => (timeout === 0 ? "without sleep" : `${timeout} ns at most`);
    const run = (): number => {
      const news = this.host.wait(timeout);
      this.#heard = news;
      wait.setUint16(abi.xen_boot_domain_wait_domid_offset, news?.domid ?? 0, true);
      wait.setUint32(abi.xen_boot_domain_wait_event_offset, news?.event ?? 0, true);
      wait.setUint32(abi.xen_boot_domain_wait_reason_offset, news?.reason ?? 0, true);
      return 0;
    };
    return this.#call("wait", 0, details, run, { wanted: 1, timeoutNs: timeout });
  }

  #openChannel(address: bigint): number {
    const channel = this.#memory.at(address, abi.xen_boot_domain_channel_size);
    if (channel === undefined) return -abi.XEN_EFAULT;
    const domid = channel.getUint16(abi.xen_boot_domain_channel_domid_offset, true);
    const remote = channel.getUint16(abi.xen_boot_domain_channel_remote_offset, true);
    const port = channel.getUint32(abi.xen_boot_domain_channel_port_offset, true);
    const details = (): string => `port ${port} for d${remote}`;
    const run = (): number => this.host.links.openChannel({ domid, remote, port });
    return this.#call("openChannel", domid, details, run);
  }

  #grant(address: bigint): number {
    const grant = this.#memory.at(address, abi.xen_boot_domain_grant_size);
    if (grant === undefined) return -abi.XEN_EFAULT;
    const u32 = (offset: number): number => grant.getUint32(offset, true);
    const domid = grant.getUint16(abi.xen_boot_domain_grant_domid_offset, true);
    const remote = grant.getUint16(abi.xen_boot_domain_grant_remote_offset, true);
    const reference = u32(abi.xen_boot_domain_grant_ref_offset);
    const gfn = Number(grant.getBigUint64(abi.xen_boot_domain_grant_gfn_offset, true));
    const count = u32(abi.xen_boot_domain_grant_nr_offset);
    const flags = u32(abi.xen_boot_domain_grant_flags_offset);
    const readOnly = flags === abi.XEN_BOOT_DOMAIN_GRANT_readonly;
    const details = (): string =>
      `references ${reference} +${count}, gfn ${hex(BigInt(gfn))}, for d${remote}` +
      `${readOnly ? " to read" : ""}`;
    const run = (): number =>
      flags === 0 || readOnly
        ? this.host.links.grant({ domid, remote, reference, gfn, count, readOnly })
        : -abi.XEN_EINVAL;
    return this.#call("grant", domid, details, run);
  }

  /** do_sysctl(), xen/common/sysctl.c. */
  sysctl(address: bigint): number {
    const op = this.#memory.at(address, abi.xen_sysctl_size);
    if (op === undefined) return -abi.XEN_EFAULT;
    const u32 = (offset: number): number => op.getUint32(offset, true);
    if (u32(abi.xen_sysctl_interface_version_offset) !== abi.XEN_SYSCTL_INTERFACE_VERSION) {
      return -abi.XEN_EACCES;
    }
    if (u32(abi.xen_sysctl_cmd_offset) !== abi.XEN_SYSCTL_cpupool_op) return -abi.XEN_EPERM;
    const argument = {
      operation: u32(abi.xen_sysctl_u_cpupool_op_op_offset),
      pool: u32(abi.xen_sysctl_u_cpupool_op_cpupool_id_offset),
      scheduler: u32(abi.xen_sysctl_u_cpupool_op_sched_id_offset),
      cpu: u32(abi.xen_sysctl_u_cpupool_op_cpu_offset),
    };
    const what = new Map([
      [abi.XEN_SYSCTL_CPUPOOL_OP_CREATE, `create pool ${argument.pool}`],
      [abi.XEN_SYSCTL_CPUPOOL_OP_RMCPU, `CPU ${argument.cpu} out of pool ${argument.pool}`],
      [abi.XEN_SYSCTL_CPUPOOL_OP_ADDCPU, `CPU ${argument.cpu} into pool ${argument.pool}`],
    ]);
    const details = (): string => what.get(argument.operation) ?? `operation ${argument.operation}`;
    return this.#call("changePool", 0, details, () => this.host.changePool(argument));
  }

  /** The boot domain ends without an exit: boot_domain_shutdown(), xen/common/boot_domain.c. */
  crash(): void {
    this.host.destroyUnstarted();
  }

  /** A bitmap of 64 CPUs. */
  #cpusAt(address: bigint): ReadonlySet<number> {
    const bits = this.#memory.at(address, 8)?.getBigUint64(0, true) ?? 0n;
    const cpus = Array.from({ length: 64 }, (_, cpu) => cpu);
    return new Set(cpus.filter((cpu) => (bits & (1n << BigInt(cpu))) !== 0n));
  }

  #call(
    name: HypercallName,
    domid: number,
    details: () => string,
    run: (most: number) => number,
    units: Pick<Hypercall, "wanted" | "sourceFrame" | "timeoutNs"> = { wanted: 1 },
  ): number {
    this.hypercalls++;
    const occurrence = (this.#occurrences.get(name) ?? 0) + 1;
    this.#occurrences.set(name, occurrence);
    const call: Hypercall = {
      ...{ number: this.hypercalls, name, occurrence, domid, details, ...units },
      atNs: this.host.now,
    };
    this.host.now += HYPERCALL_NS;
    this.#heard = undefined;
    const injection = this.#options.inject?.(call);
    let answer: number | undefined;
    try {
      answer = injection === undefined ? run(ALL) : this.#doPart(injection, run);
      return answer;
    } finally {
      this.#options.observe?.(call, answer, this.host.now, this.#heard);
    }
  }

  /** read_part(), xen/common/boot_domain.c. */
  #readPolicy(part: DataView): number {
    const policy = this.#options.policy;
    if (policy === undefined) return -abi.XEN_ENODATA;
    const offset = part.getUint32(abi.xen_boot_domain_part_offset_offset, true);
    const room = part.getUint32(abi.xen_boot_domain_part_bytes_offset, true);
    const bytes = policy.subarray(offset, offset + room);
    const buffer = part.getBigUint64(abi.xen_boot_domain_part_buffer_offset, true);
    const target = this.#memory.at(buffer, bytes.length);
    if (target === undefined) return -abi.XEN_EFAULT;
    new Uint8Array(target.buffer, target.byteOffset, bytes.length).set(bytes);
    part.setUint32(abi.xen_boot_domain_part_bytes_offset, bytes.length, true);
    return 0;
  }

  #doPart({ answer, done }: Injection, run: (most: number) => number): number {
    if (done > 0) run(done);
    return answer;
  }

  /** boot_domain_exit() and clean_up(), xen/common/boot_domain.c. */
  #exit(exit: DataView, status: number): number {
    const bytes = exit.getUint32(abi.xen_boot_domain_exit_receipt_bytes_offset, true);
    const receipt = exit.getBigUint64(abi.xen_boot_domain_exit_receipt_offset, true);
    if (bytes > abi.XEN_BOOT_DOMAIN_RECEIPT_BYTES) return -abi.XEN_E2BIG;
    if (this.#memory.at(receipt, bytes) === undefined) return -abi.XEN_EFAULT;
    this.exit = {
      status,
      step: exit.getUint32(abi.xen_boot_domain_exit_step_offset, true),
      operation: exit.getUint32(abi.xen_boot_domain_exit_operation_offset, true),
      domain: exit.getUint32(abi.xen_boot_domain_exit_domain_offset, true),
      error: exit.getInt32(abi.xen_boot_domain_exit_error_offset, true),
    };
    this.host.destroyUnstarted();
    throw new BootDomainExited();
  }
}

/** What of XEN_DOMCTL_createdomain's argument counts. */
function creationOf(op: DataView): DomainCreation {
  const field = (offset: number): number => op.getUint32(offset, true);
  return {
    label: field(abi.xen_domctl_u_createdomain_ssidref_offset),
    createFlags: field(abi.xen_domctl_u_createdomain_flags_offset),
    maxVcpus: field(abi.xen_domctl_u_createdomain_max_vcpus_offset),
    devices: field(abi.xen_domctl_u_createdomain_arch_offset),
    sharedInterrupts: field(abi.xen_domctl_u_createdomain_arch_offset + 4),
    maxEventChannelPort: field(abi.xen_domctl_u_createdomain_max_evtchn_port_offset),
    cpuPool: field(abi.xen_domctl_u_createdomain_cpupool_id_offset),
    grantFrames: op.getInt32(abi.xen_domctl_u_createdomain_max_grant_frames_offset, true),
    maptrackFrames: op.getInt32(abi.xen_domctl_u_createdomain_max_maptrack_frames_offset, true),
  };
}

const none = (): string => "";

function hex(number: bigint): string {
  return `0x${number.toString(16)}`;
}
