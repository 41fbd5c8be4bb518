// SPDX-License-Identifier: Apache-2.0
// How each hypercall of a launch can fail on Xen 4.17 with domb's patches, for a PVH domain, and
// which function of Xen says so. Faults are taken from here; docs/hypercall-failures.md shows it.

import type { ErrnoName } from "./errno.js";
import type { HypercallName } from "./hypercalls.js";

export interface Failure {
  readonly hypercall: HypercallName;
  /** Xen's errno; "fewer": fewer extents done than were asked for, none perhaps. */
  readonly answer: ErrnoName | "fewer";
  /** The function that gives it, whose body names it. */
  readonly function: string;
  /** Its file in Xen's tree. */
  readonly file: string;
  readonly condition: string;
  /** Whether a part may have been done: extents, pages. */
  readonly partial: boolean;
  /**
   * What comes to it in a launch: a plan that no compiler makes, a Xen that does not enforce the
   * launch's FLASK policy, too little memory, or nothing that the boot domain does.
   */
  readonly cause: "plan" | "policy" | "memory" | "never";
}

type Row = readonly [answer: Failure["answer"], where: string, condition: string];

const domctl = "xen/common/domctl.c";
const domain = "xen/common/domain.c";
const x86Domain = "xen/arch/x86/domain.c";
const x86Domctl = "xen/arch/x86/domctl.c";
const memory = "xen/common/memory.c";
const hap = "xen/arch/x86/mm/hap/hap.c";
const save = "xen/arch/x86/hvm/save.c";
const hvm = "xen/arch/x86/hvm/hvm.c";
const grants = "xen/common/grant_table.c";
const bootDomain = "xen/common/boot_domain.c";
const security = "xen/include/xsm/dummy.h";
const flask = "xen/xsm/flask";

const anyDomctl: readonly Row[] = [
  ["EFAULT", `do_domctl ${domctl}`, "the argument can't be read"],
  ["EACCES", `do_domctl ${domctl}`, "the interface version is another"],
  ["EPERM", `xsm_default_action ${security}`, "the caller has no control privilege"],
  ["EPERM", `do_domctl ${domctl}`, "it is none of the boot domain's domctls"],
];
const onDomain: readonly Row[] = [
  ...anyDomctl,
  ["ESRCH", `do_domctl ${domctl}`, "there is no such domain"],
  ["EPERM", `hvm_hypercall xen/arch/x86/hvm/hypercall.c`, "it is none of the boot domain's calls"],
];
const fillNever: readonly Row[] = [
  ["EFAULT", `boot_domain_fill ${bootDomain}`, "the argument can't be read or written"],
  ["EINVAL", `boot_domain_fill ${bootDomain}`, "padding is not zero"],
  [
    "EPERM",
    `boot_domain_fill ${bootDomain}`,
    "the domain has been started, or is no Initial Domain",
  ],
  ["ESRCH", `rcu_lock_remote_domain_by_id ${domain}`, "there is no such domain"],
  ["EINVAL", `get_ram_page ${bootDomain}`, "the frame is not RAM"],
  ["EINVAL", `fill_page ${bootDomain}`, "the page has another type than writable"],
];

const never: Readonly<Record<HypercallName, readonly Row[]>> = {
  createDomain: anyDomctl,
  allocateVcpus: [
    ...onDomain,
    ["EINVAL", `do_domctl ${domctl}`, "the number is not the one of the creation"],
  ],
  setPagingPool: [
    ...onDomain,
    [
      "EINVAL",
      `arch_set_paging_mempool_size xen/arch/x86/mm/paging.c`,
      "the size is no whole page",
    ],
  ],
  limitMemory: onDomain,
  populate: [
    ["EFAULT", `do_memory_op ${memory}`, "the argument can't be read"],
    ["ESRCH", `do_memory_op ${memory}`, "there is no such domain"],
    ["EPERM", `xsm_default_action ${security}`, "the caller may not give the domain memory"],
  ],
  copy: fillNever,
  clear: fillNever,
  setContext: [
    ...onDomain,
    ["EFAULT", `arch_do_domctl ${x86Domctl}`, "the context can't be read"],
    ["EINVAL", `arch_do_domctl ${x86Domctl}`, "the domain is not HVM"],
  ],
  start: [...onDomain, ["EPERM", `do_domctl ${domctl}`, "the domain has been started"]],
  destroy: [...onDomain, ["EINVAL", `domain_kill ${domain}`, "it is the caller itself"]],
  console: [
    ["EFAULT", `guest_console_write xen/drivers/char/console.c`, "the text can't be read"],
    ["EPERM", `xsm_default_action ${security}`, "the caller may not write to Xen's log"],
  ],
  policy: [
    ["EFAULT", `read_part ${bootDomain}`, "the argument can't be read, or room not written"],
    ["EPERM", `do_boot_domain_op ${bootDomain}`, "the caller is not the boot domain"],
  ],
  label: [
    ["EFAULT", `do_flask_op ${flask}/flask_op.c`, "the argument can't be read"],
    ["ENOSYS", `do_flask_op ${flask}/flask_op.c`, "the interface version is another"],
    ["EPERM", `do_flask_op ${flask}/flask_op.c`, "it is another operation of FLASK's"],
  ],
  drop: [
    ["EFAULT", `boot_domain_drop ${bootDomain}`, "the argument can't be read"],
    ["EACCES", `boot_domain_drop ${bootDomain}`, "the boot domain is for another Xen"],
    ["EPERM", `do_boot_domain_op ${bootDomain}`, "the caller is not the boot domain"],
  ],
  exit: [
    ["EFAULT", `boot_domain_exit ${bootDomain}`, "the argument can't be read"],
    ["E2BIG", `keep_receipt ${bootDomain}`, "the receipt is larger than a page"],
    ["EFAULT", `keep_receipt ${bootDomain}`, "the receipt can't be read"],
    ["EPERM", `do_boot_domain_op ${bootDomain}`, "the caller is not the boot domain"],
  ],
};

const byMemory: Partial<Record<HypercallName, readonly Row[]>> = {
  createDomain: [
    ["ENOMEM", `domain_create ${domain}`, "no page for the domain's structures"],
    ["ENOMEM", `hap_set_allocation ${hap}`, "no 256 pages for its first paging structures"],
    ["ENOMEM", `grant_table_init ${grants}`, "no page for its grant table"],
  ],
  allocateVcpus: [["ENOMEM", `do_domctl ${domctl}`, "no page for the vCPU's structures"]],
  setPagingPool: [["ENOMEM", `hap_set_allocation ${hap}`, "no page for paging structures"]],
  populate: [["fewer", `populate_physmap ${memory}`, "no page for an extent"]],
  setContext: [["ENOMEM", `arch_do_domctl ${x86Domctl}`, "no page for a copy of the context"]],
};

const fillByPlan: readonly Row[] = [
  ["ENOENT", `get_ram_page ${bootDomain}`, "the frame has no memory"],
];
const byPlan: Partial<Record<HypercallName, readonly Row[]>> = {
  createDomain: [
    ["EEXIST", `do_domctl ${domctl}`, "the domid is taken"],
    [
      "EPERM",
      `sanitise_domain_config ${domain}`,
      "it is no PVH domain with nested paging, or a privilege has been given or dropped",
    ],
    ["EOPNOTSUPP", `sanitise_domain_config ${domain}`, "it is to be the hardware domain"],
    ["EINVAL", `sanitise_domain_config ${domain}`, "there are no vCPUs"],
    [
      "EPERM",
      `arch_sanitise_domain_config ${x86Domain}`,
      "another device than the APIC is emulated",
    ],
    ["EINVAL", `grant_table_init ${grants}`, "there are no, or too many, grant or maptrack frames"],
  ],
  setPagingPool: [["ENOMEM", `hap_set_allocation ${hap}`, "less than what is already in use"]],
  populate: [
    ["fewer", `populate_physmap ${memory}`, "the domain's limit is reached"],
    ["fewer", `populate_physmap ${memory}`, "its paging structures have no memory left"],
  ],
  drop: [["EINVAL", `boot_domain_drop ${bootDomain}`, "a flag is no privilege"]],
  copy: fillByPlan,
  clear: fillByPlan,
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
    ["EINVAL", `svm_vmcb_restore xen/arch/x86/hvm/svm/svm.c`, "the pending event is not valid"],
    ["EINVAL", `hvm_load_mtrr_msr xen/arch/x86/hvm/mtrr.c`, "there are too many variable MTRRs"],
  ],
};

const byPolicy: Partial<Record<HypercallName, readonly Row[]>> = {
  policy: [["ENODATA", `read_part ${bootDomain}`, "Xen enforces no FLASK policy"]],
  label: [
    ["ENOSYS", `xsm_do_xsm_op ${security}`, "there is no FLASK"],
    ["EINVAL", `security_context_to_sid ${flask}/ss/services.c`, "the policy has no such label"],
  ],
  createDomain: [
    ["EACCES", `avc_has_perm_noaudit ${flask}/avc.c`, "the policy does not let it have its label"],
  ],
};

function rowsOf(
  tables: Partial<Record<HypercallName, readonly Row[]>>,
  cause: Failure["cause"],
): readonly Failure[] {
  return Object.entries(tables).flatMap(([hypercall, rows]) =>
    rows.map(([answer, where, condition]) => {
      const [name = "", file = ""] = where.split(" ");
      const partial =
        answer === "fewer" || (file === bootDomain && /get_ram_page|fill_page/.test(name));
      return {
        ...{ hypercall: hypercall as HypercallName, answer, function: name, file },
        ...{ condition, partial, cause },
      };
    }),
  );
}

/** Every failure. */
export const failures: readonly Failure[] = [
  ...rowsOf(byPlan, "plan"),
  ...rowsOf(byPolicy, "policy"),
  ...rowsOf(byMemory, "memory"),
  ...rowsOf(never, "never"),
];
