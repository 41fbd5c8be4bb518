// SPDX-License-Identifier: Apache-2.0
// Physical CPUs and CPU pools as far as a launch changes them: cpupool_do_sysctl(),
// xen/common/sched/cpupool.c, and the domctls on affinity and scheduling.

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

export class ModelProcessors {
  readonly pools = new Map<number, Pool>();

  /** `cpus`: physical CPUs of the host, all of them in pool 0, which runs credit2. */
  constructor(cpus: number) {
    const all = Array.from({ length: cpus }, (_, cpu) => cpu);
    this.pools.set(0, { scheduler: abi.XEN_SCHEDULER_CREDIT2, cpus: new Set(all) });
  }

  /** XEN_SYSCTL_cpupool_op. */
  change({ operation, pool: id, scheduler, cpu }: PoolArgument): number {
    const pool = this.pools.get(id);
    switch (operation) {
      case abi.XEN_SYSCTL_CPUPOOL_OP_CREATE:
        if (pool !== undefined) return -abi.XEN_EEXIST;
        this.pools.set(id, { scheduler, cpus: new Set() });
        return 0;
      case abi.XEN_SYSCTL_CPUPOOL_OP_RMCPU:
        if (pool === undefined) return -abi.XEN_ENOENT;
        // The last one stays, since the boot domain runs on it.
        if (pool.cpus.size < 2) return -abi.XEN_EBUSY;
        return pool.cpus.delete(cpu) ? 0 : -abi.XEN_EINVAL;
      case abi.XEN_SYSCTL_CPUPOOL_OP_ADDCPU:
        if (pool === undefined) return -abi.XEN_ENOENT;
        if ([...this.pools.values()].some(({ cpus }) => cpus.has(cpu))) return -abi.XEN_EBUSY;
        pool.cpus.add(cpu);
        return 0;
      default:
        return -abi.XEN_EPERM;
    }
  }
}
