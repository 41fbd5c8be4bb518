// SPDX-License-Identifier: Apache-2.0
// How hypercalls can fail that link domains with each other and with the boot domain.

import type { FailureTables, Row } from "./failure-table.js";

const bootDomain = "xen/common/boot_domain.c";
const domain = "xen/common/domain.c";
const events = "xen/common/event_channel.c";
const grants = "xen/common/grant_table.c";

const unstarted: readonly Row[] = [
  ["ESRCH", `rcu_lock_remote_domain_by_id ${domain}`, "there is no such domain"],
  [
    "EPERM",
    `lock_unstarted ${bootDomain}`,
    "one of the two has been started, or is no Initial Domain",
  ],
];
const notCaller: Row = [
  "EPERM",
  `do_boot_domain_op ${bootDomain}`,
  "the caller is not the boot domain",
];

export const linkFailures: FailureTables = {
  plan: {
    openChannel: [
      ["EINVAL", `boot_domain_channel ${bootDomain}`, "the port is 0"],
      ["EEXIST", `boot_domain_channel ${bootDomain}`, "the port is in use"],
      ["ENOSPC", `evtchn_allocate_port ${events}`, "the port is beyond the domain's last one"],
      ...unstarted,
    ],
    grant: [
      ["EINVAL", `boot_domain_grant ${bootDomain}`, "a flag is unknown"],
      ["ERANGE", `gnttab_seed ${grants}`, "the grant table can't be as large"],
      ...unstarted,
    ],
  },
  memory: {
    openChannel: [["ENOMEM", `evtchn_allocate_port ${events}`, "no page for more ports"]],
    grant: [["ENOMEM", `gnttab_grow_table ${grants}`, "no page for a larger grant table"]],
  },
  never: {
    openChannel: [
      ["EFAULT", `boot_domain_channel ${bootDomain}`, "the argument can't be read"],
      ["ENOSPC", `lock_and_join ${bootDomain}`, "one of the two is not among the first domains"],
      notCaller,
    ],
    grant: [
      ["EFAULT", `boot_domain_grant ${bootDomain}`, "the argument can't be read"],
      ["ENOSPC", `lock_and_join ${bootDomain}`, "one of the two is not among the first domains"],
      ["ERANGE", `gnttab_seed ${grants}`, "there are no such pages"],
      notCaller,
    ],
    wait: [
      ["EFAULT", `boot_domain_wait ${bootDomain}`, "the argument can't be read or written"],
      ["EINVAL", `boot_domain_wait ${bootDomain}`, "padding is not zero"],
      notCaller,
    ],
  },
};
