// SPDX-License-Identifier: Apache-2.0
// How hypercalls of a launch can fail in Xen's x86 half, for a PVH domain.

import type { FailureTables, Row } from "../failure-table.js";

const x86Domain = "xen/arch/x86/domain.c";
const x86Domctl = "xen/arch/x86/domctl.c";
const hap = "xen/arch/x86/mm/hap/hap.c";
const save = "xen/arch/x86/hvm/save.c";
const hvm = "xen/arch/x86/hvm/hvm.c";

const anyDomctl: readonly Row[] = [
  ["EPERM", "hvm_hypercall xen/arch/x86/hvm/hypercall.c", "it is none of the boot domain's calls"],
];

export const x86Failures: FailureTables = {
  plan: {
    createDomain: [
      [
        "EPERM",
        `arch_sanitise_domain_config ${x86Domain}`,
        "another device than the APIC is emulated, or a flag of x86's set",
      ],
    ],
    setPagingPool: [["ENOMEM", `hap_set_allocation ${hap}`, "less than what is already in use"]],
    setContext: [
      ["ENODATA", `hvm_load ${save}`, "there is no header first, or no end record last"],
      ["EINVAL", `arch_hvm_load ${save}`, "the header's magic or version is another"],
      ["EPERM", `hvm_load ${save}`, "a record is of something else than CPU or MTRRs"],
      ["EINVAL", `hvm_load ${save}`, "a record's type is unknown"],
      [
        "EINVAL",
        `hvm_load_cpu_ctxt ${hvm}`,
        "there is no such vCPU, or a register's value is not valid",
      ],
      ["EINVAL", "svm_vmcb_restore xen/arch/x86/hvm/svm/svm.c", "the pending event is not valid"],
      ["EINVAL", "hvm_load_mtrr_msr xen/arch/x86/hvm/mtrr.c", "there are too many variable MTRRs"],
    ],
  },
  memory: {
    createDomain: [
      ["ENOMEM", `hap_set_allocation ${hap}`, "no 256 pages for its first paging structures"],
    ],
    setPagingPool: [["ENOMEM", `hap_set_allocation ${hap}`, "no page for paging structures"]],
    setContext: [["ENOMEM", `arch_do_domctl ${x86Domctl}`, "no page for a copy of the context"]],
  },
  never: {
    allocateVcpus: anyDomctl,
    setPagingPool: [
      ...anyDomctl,
      [
        "EINVAL",
        "arch_set_paging_mempool_size xen/arch/x86/mm/paging.c",
        "the size is no whole page",
      ],
    ],
    limitMemory: anyDomctl,
    setContext: [
      ...anyDomctl,
      ["EFAULT", `arch_do_domctl ${x86Domctl}`, "the context can't be read"],
      ["EINVAL", `arch_do_domctl ${x86Domctl}`, "the domain is not HVM"],
    ],
    start: anyDomctl,
    destroy: anyDomctl,
  },
};
