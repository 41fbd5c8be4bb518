// SPDX-License-Identifier: Apache-2.0
// Physical CPUs and CPU pools as far as a launch changes them: cpupool_do_sysctl(),
// xen/common/sched/cpupool.c, and the domctls on affinity and scheduling, xen/common/sched/core.c.

import * as abi from "../contract/xen-abi.js";

interface Pool {
  readonly scheduler: number;
  readonly cpus: Set<number>;
}

export interface PoolArgument {
  readonly operation: number;
  readonly pool: number;
  readonly scheduler: number;
  readonly cpu: number;
}

/** XEN_SYSCTL_CPUPOOL_PAR_ANY, xen/include/public/sysctl.h. */
const ANY = 0xffffffff;

const schedulers: ReadonlySet<number> = new Set([
  abi.XEN_SCHEDULER_CREDIT,
  abi.XEN_SCHEDULER_CREDIT2,
  abi.XEN_SCHEDULER_RTDS,
  abi.XEN_SCHEDULER_NULL,
]);

/** Schedulers that any weight and cap is good for: boot_domain_may_control(). */
const sharing: ReadonlySet<number> = new Set([abi.XEN_SCHEDULER_CREDIT, abi.XEN_SCHEDULER_CREDIT2]);

export class ModelProcessors {
  readonly pools = new Map<number, Pool>();
  /** CPUs that are in no pool. */
  readonly #free = new Set<number>();
  readonly #cpus: number;

  /** `cpus`: physical CPUs of the host, all of them in pool 0, which runs credit2. */
  constructor(cpus: number) {
    const all = Array.from({ length: cpus }, (_, cpu) => cpu);
    this.#cpus = cpus;
    this.pools.set(0, { scheduler: abi.XEN_SCHEDULER_CREDIT2, cpus: new Set(all) });
  }

  /** XEN_SYSCTL_cpupool_op. */
  change({ operation, pool: id, scheduler, cpu }: PoolArgument): number {
    switch (operation) {
      case abi.XEN_SYSCTL_CPUPOOL_OP_CREATE:
        return this.#create(id, scheduler);
      case abi.XEN_SYSCTL_CPUPOOL_OP_RMCPU:
        return this.#remove(id, cpu);
      case abi.XEN_SYSCTL_CPUPOOL_OP_ADDCPU:
        return this.#add(id, cpu);
      default:
        return -abi.XEN_EPERM;
    }
  }

  /** cpupool_add_domain(): what it answers to a new domain. */
  admit(id: number): number {
    const pool = this.pools.get(id);
    if (pool === undefined) return -abi.XEN_ESRCH;
    return pool.cpus.size === 0 ? -abi.XEN_ENODEV : 0;
  }

  /** vcpu_set_hard_affinity(): a vCPU of a domain in a pool may run on these CPUs. */
  setAffinity(id: number, cpus: ReadonlySet<number>): number {
    const pool = this.pools.get(id);
    const runs = [...cpus].some((cpu) => pool?.cpus.has(cpu));
    return runs ? 0 : -abi.XEN_EINVAL;
  }

  /** sched_adjust() with XEN_DOMCTL_SCHEDOP_putinfo of a domain in a pool. */
  setShare(id: number, scheduler: number): number {
    if (!sharing.has(scheduler)) return -abi.XEN_EPERM;
    return this.pools.get(id)?.scheduler === scheduler ? 0 : -abi.XEN_EINVAL;
  }

  #create(wanted: number, scheduler: number): number {
    let id = wanted;
    if (this.pools.size >= 2 * this.#cpus) return -abi.XEN_ENOSPC;
    if (id === ANY) for (id = 0; this.pools.has(id); id++);
    if (this.pools.has(id)) return -abi.XEN_EEXIST;
    if (!schedulers.has(scheduler)) return -abi.XEN_ENOENT;
    this.pools.set(id, { scheduler, cpus: new Set() });
    return 0;
  }

  #remove(id: number, wanted: number): number {
    const pool = this.pools.get(id);
    if (pool === undefined) return -abi.XEN_ENOENT;
    const cpu = wanted === ANY ? Math.max(...pool.cpus) : wanted;
    // The first one stays in pool 0.
    if (!(cpu < this.#cpus) || (id === 0 && cpu === 0)) return -abi.XEN_EINVAL;
    if (!pool.cpus.delete(cpu)) return -abi.XEN_EADDRNOTAVAIL;
    this.#free.add(cpu);
    return 0;
  }

  #add(id: number, wanted: number): number {
    const pool = this.pools.get(id);
    if (pool === undefined) return -abi.XEN_ENOENT;
    const cpu = wanted === ANY ? Math.min(...this.#free) : wanted;
    if (wanted !== ANY && cpu >= this.#cpus) return -abi.XEN_EINVAL;
    if (!this.#free.delete(cpu)) return -abi.XEN_ENODEV;
    pool.cpus.add(cpu);
    return 0;
  }
}
