// SPDX-License-Identifier: Apache-2.0
// How hypercalls of a launch can fail in Xen's Arm half, for a 64-bit domain; and in the domctl that
// takes a vcpu_guest_context, which no launch on x86 makes.

import type { FailureTables, Row } from "../failure-table.js";

const domctl = "xen/common/domctl.c";
const armDomain = "xen/arch/arm/domain.c";
const p2m = "xen/arch/arm/p2m.c";

const anyDomctl: readonly Row[] = [
  ["EPERM", "do_trap_hypercall xen/arch/arm/traps.c", "it is none of the boot domain's calls"],
];

export const arm64Failures: FailureTables = {
  plan: {
    createDomain: [
      [
        "EPERM",
        `sanitise_initial_domain_config ${armDomain}`,
        "it is to have a TEE, or too many shared interrupts",
      ],
      [
        "EINVAL",
        `sanitise_initial_domain_config ${armDomain}`,
        "it may write to Xen's log, and has no shared interrupt for the UART",
      ],
      ["ENODEV", `sanitise_initial_domain_config ${armDomain}`, "its GIC is not as the host's"],
      [
        "EINVAL",
        `arch_sanitise_domain_config ${armDomain}`,
        "there are more vCPUs than its GIC has room for",
      ],
    ],
    setPagingPool: [["ENOMEM", `p2m_set_allocation ${p2m}`, "less than what is already in use"]],
    setContext: [
      ["EINVAL", `do_domctl ${domctl}`, "there is no such vCPU"],
      ["EINVAL", `arch_set_info_guest ${armDomain}`, "the mode is none of a 64-bit guest's"],
    ],
  },
  memory: {
    createDomain: [
      ["ENOMEM", `p2m_set_allocation ${p2m}`, "no 16 pages for its first paging structures"],
      ["ENOMEM", `p2m_alloc_table ${p2m}`, "no page for the root of its paging structures"],
    ],
    setPagingPool: [["ENOMEM", `p2m_set_allocation ${p2m}`, "no page for paging structures"]],
  },
  never: {
    allocateVcpus: anyDomctl,
    setPagingPool: [
      ...anyDomctl,
      ["EINVAL", `arch_set_paging_mempool_size ${p2m}`, "the size is no whole page"],
    ],
    limitMemory: anyDomctl,
    setContext: [
      ...anyDomctl,
      ["EPERM", `do_domctl ${domctl}`, "it is another vCPU than 0"],
      ["EFAULT", `do_domctl ${domctl}`, "the context can't be read"],
      ["ENOMEM", `do_domctl ${domctl}`, "no page for a copy of the context"],
    ],
    start: anyDomctl,
    destroy: anyDomctl,
  },
};
