// SPDX-License-Identifier: Apache-2.0
// How hypercalls can fail that say on which CPUs domains run, and with what share of them.

import type { FailureTables, Row } from "./failure-table.js";

const domctl = "xen/common/domctl.c";
const sysctl = "xen/common/sysctl.c";
const core = "xen/common/sched/core.c";
const cpupool = "xen/common/sched/cpupool.c";
const security = "xen/include/xsm/dummy.h";

const onDomain: readonly Row[] = [
  ["EFAULT", `do_domctl ${domctl}`, "the argument can't be read"],
  ["EACCES", `do_domctl ${domctl}`, "the interface version is another"],
  ["ESRCH", `do_domctl ${domctl}`, "there is no such domain"],
  ["EPERM", `xsm_default_action ${security}`, "the caller has no control privilege"],
];

export const processorFailures: FailureTables = {
  plan: {
    createDomain: [
      ["ESRCH", `cpupool_add_domain ${cpupool}`, "there is no such CPU pool"],
      ["ENODEV", `cpupool_add_domain ${cpupool}`, "its CPU pool has no CPU"],
    ],
    setAffinity: [
      ["EINVAL", `vcpu_affinity_domctl ${core}`, "there is no such vCPU"],
      ["ESRCH", `vcpu_affinity_domctl ${core}`, "the vCPU is not allocated"],
      ["EINVAL", `vcpu_set_hard_affinity ${core}`, "none of the CPUs is in the domain's pool"],
    ],
    setShare: [
      ["EPERM", `do_domctl ${domctl}`, "it is no credit scheduler"],
      ["EINVAL", `sched_adjust ${core}`, "the domain's pool has another scheduler"],
    ],
    changePool: [
      ["EPERM", `do_sysctl ${sysctl}`, "a domain runs that the boot domain has started"],
      ["EEXIST", `cpupool_create ${cpupool}`, "there is such a CPU pool"],
      ["ENOSPC", `cpupool_create ${cpupool}`, "there are two CPU pools for each CPU"],
      ["ENOENT", `scheduler_alloc ${core}`, "there is no such scheduler"],
      ["ENOENT", `cpupool_do_sysctl ${cpupool}`, "there is no such CPU pool"],
      ["EINVAL", `cpupool_do_sysctl ${cpupool}`, "there is no such CPU"],
      ["EINVAL", `cpupool_unassign_cpu ${cpupool}`, "it is the first CPU, which stays in pool 0"],
      ["EADDRNOTAVAIL", `cpupool_unassign_cpu_start ${cpupool}`, "the CPU is not in the pool"],
    ],
  },
  memory: {},
  never: {
    setAffinity: [
      ...onDomain,
      ["EPERM", `do_domctl ${domctl}`, "it is no hard affinity, or of more than 64 CPUs"],
      ["ENOMEM", `vcpu_affinity_domctl ${core}`, "no memory for a set of CPUs"],
    ],
    setShare: onDomain,
    changePool: [
      ["EFAULT", `do_sysctl ${sysctl}`, "the argument can't be read"],
      ["EACCES", `do_sysctl ${sysctl}`, "the interface version is another"],
      ["EPERM", `do_sysctl ${sysctl}`, "it is none of the boot domain's sysctls"],
      ["ENOMEM", `cpupool_create ${cpupool}`, "no memory for the pool's structures"],
      ["ENODEV", `cpupool_do_sysctl ${cpupool}`, "the CPU is in a pool"],
      [
        "EBUSY",
        `cpupool_unassign_cpu_start ${cpupool}`,
        "it is the last CPU of a pool with domains",
      ],
    ],
  },
};
