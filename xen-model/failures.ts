// SPDX-License-Identifier: Apache-2.0
// How each hypercall of a launch can fail on Xen 4.17 with domb's patches, and which function of Xen
// says so: here and in link-failures.ts and processor-failures.ts what the architectures have in
// common, in x86_64/ and arm64/ the rest. Faults are taken from here; docs/hypercall-failures.md
// shows it.

import { arm64Failures } from "./arm64/failures.js";
import {
  type Failure,
  type FailureTables,
  failuresIn,
  type Row,
  type Rows,
} from "./failure-table.js";
import { linkFailures } from "./link-failures.js";
import type { Architecture } from "./machines.js";
import { processorFailures } from "./processor-failures.js";
import { x86Failures } from "./x86_64/failures.js";

export type { Failure } from "./failure-table.js";

const domctl = "xen/common/domctl.c";
const domain = "xen/common/domain.c";
const memory = "xen/common/memory.c";
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
];
const fillNever: readonly Row[] = [
  ["EFAULT", `boot_domain_fill ${bootDomain}`, "the argument can't be read or written"],
  ["EINVAL", `boot_domain_fill ${bootDomain}`, "padding is not zero"],
  ["EPERM", `lock_unstarted ${bootDomain}`, "the domain has been started, or is no Initial Domain"],
  ["ESRCH", `rcu_lock_remote_domain_by_id ${domain}`, "there is no such domain"],
  ["EINVAL", `get_ram_page ${bootDomain}`, "the frame is not RAM"],
  ["EINVAL", `fill_page ${bootDomain}`, "the page has another type than writable"],
];

const never: Rows = {
  createDomain: anyDomctl,
  allocateVcpus: [
    ...onDomain,
    ["EINVAL", `do_domctl ${domctl}`, "the number is not the one of the creation"],
  ],
  setPagingPool: onDomain,
  limitMemory: onDomain,
  populate: [
    ["EFAULT", `do_memory_op ${memory}`, "the argument can't be read"],
    ["ESRCH", `do_memory_op ${memory}`, "there is no such domain"],
    ["EPERM", `xsm_default_action ${security}`, "the caller may not give the domain memory"],
  ],
  copy: fillNever,
  clear: fillNever,
  setContext: onDomain,
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
    ["E2BIG", `keep_receipt ${bootDomain}`, "the receipt is larger than Xen keeps"],
    ["EFAULT", `keep_receipt ${bootDomain}`, "the receipt can't be read"],
    ["EPERM", `do_boot_domain_op ${bootDomain}`, "the caller is not the boot domain"],
  ],
};

const byMemory: Rows = {
  createDomain: [
    ["ENOMEM", `domain_create ${domain}`, "no page for the domain's structures"],
    ["ENOMEM", `grant_table_init ${grants}`, "no page for its grant table"],
  ],
  allocateVcpus: [["ENOMEM", `do_domctl ${domctl}`, "no page for the vCPU's structures"]],
  populate: [["fewer", `populate_physmap ${memory}`, "no page for an extent"]],
  drop: [
    ["ENOMEM", `boot_domain_drop ${bootDomain}`, "less memory is free than is to be reserved"],
  ],
};

const fillByPlan: readonly Row[] = [
  ["ENOENT", `get_ram_page ${bootDomain}`, "the frame has no memory"],
];
const byPlan: Rows = {
  createDomain: [
    ["EEXIST", `do_domctl ${domctl}`, "the domid is taken"],
    [
      "EPERM",
      `sanitise_domain_config ${domain}`,
      "it is no HVM domain with nested paging, or a privilege has been given or dropped",
    ],
    ["EOPNOTSUPP", `sanitise_domain_config ${domain}`, "it is to be the hardware domain"],
    ["EINVAL", `sanitise_domain_config ${domain}`, "there are no vCPUs"],
    ["EINVAL", `grant_table_init ${grants}`, "there are no, or too many, grant or maptrack frames"],
  ],
  populate: [
    ["fewer", `populate_physmap ${memory}`, "the domain's limit is reached"],
    ["fewer", `populate_physmap ${memory}`, "its paging structures have no memory left"],
  ],
  drop: [
    ["EINVAL", `boot_domain_drop ${bootDomain}`, "a flag is no privilege"],
    ["EPERM", `boot_domain_drop ${bootDomain}`, "privileges are reserved after the first creation"],
  ],
  start: [["EPERM", `do_domctl ${domctl}`, "the domain has not all of its vCPUs"]],
  copy: fillByPlan,
  clear: fillByPlan,
};

const byPolicy: Rows = {
  policy: [["ENODATA", `read_part ${bootDomain}`, "Xen enforces no FLASK policy"]],
  label: [
    ["ENOSYS", `xsm_do_xsm_op ${security}`, "there is no FLASK"],
    ["EINVAL", `security_context_to_sid ${flask}/ss/services.c`, "the policy has no such label"],
  ],
  createDomain: [
    ["EACCES", `avc_has_perm_noaudit ${flask}/avc.c`, "the policy does not let it have its label"],
  ],
};

const common: FailureTables = { plan: byPlan, policy: byPolicy, memory: byMemory, never };
const causes = Object.keys(common);

/** Every failure: what plans cause first, what nothing does last. */
export const failures: readonly Failure[] = [
  ...failuresIn(common),
  ...failuresIn(linkFailures),
  ...failuresIn(processorFailures),
  ...failuresIn(x86Failures, "x86_64"),
  ...failuresIn(arm64Failures, "arm64"),
].sort((one, other) => causes.indexOf(one.cause) - causes.indexOf(other.cause));

/** Those that there are on one architecture. */
export function failuresOn(architecture: Architecture): readonly Failure[] {
  return failures.filter((failure) => (failure.architecture ?? architecture) === architecture);
}
