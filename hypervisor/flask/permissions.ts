// SPDX-License-Identifier: Apache-2.0
// What the boot domain may do under FLASK: the whole list, of which nothing is spare. The policy
// module is made from it, so that a test can take each away. The policy is one for all architectures:
// what only one of them needs, Xen itself refuses the boot domain on another.

import type { Architecture } from "../../setup/paths.js";

export interface Permission {
  /**
   * What it is about: an Initial Domain of any type, or of one, an event channel of such a domain or
   * of the boot domain, Xen, or FLASK's own server. The type of the control domain can't be had
   * without its privilege, which Xen gives once.
   */
  readonly on:
    | "initial_type"
    | "initial_t"
    | "linked_initial_t"
    | "control_initial_t"
    | "initial_event_type"
    | "boot_domain_t_channel"
    | "xen_t"
    | "security_t";
  readonly class: string;
  readonly permission: string;
  /** The call that needs it. */
  readonly for: string;
  /** Where that is a part of launches, if not everywhere. */
  readonly architecture?: Architecture;
  /** What launches need for order, links and CPUs. */
  readonly relations?: true;
}

const initial = (of: string, permission: string, call: string): Permission => ({
  on: "initial_type",
  class: of,
  permission,
  for: call,
});

const relation = (on: Permission["on"], of: string, permission: string, call: string) =>
  ({ on, class: of, permission, for: call, relations: true }) satisfies Permission;

export const bootDomainPermissions: readonly Permission[] = [
  { on: "security_t", class: "security", permission: "check_context", for: "FLASK_CONTEXT_TO_SID" },
  { on: "initial_t", class: "domain", permission: "create", for: "XEN_DOMCTL_createdomain" },
  {
    on: "control_initial_t",
    class: "domain2",
    permission: "create_control_domain",
    for: "XEN_DOMCTL_createdomain with XEN_DOMCTL_CDF_control",
  },
  initial("domain", "max_vcpus", "XEN_DOMCTL_max_vcpus"),
  initial("domain", "setpagingmempool", "XEN_DOMCTL_set_paging_mempool_size"),
  initial("domain", "setdomainmaxmem", "XEN_DOMCTL_max_mem"),
  initial("mmu", "adjust", "XENMEM_populate_physmap"),
  initial("mmu", "map_read", "XEN_BOOT_DOMAIN_copy and _clear"),
  initial("mmu", "map_write", "XEN_BOOT_DOMAIN_copy and _clear"),
  { ...initial("hvm", "sethvmc", "XEN_DOMCTL_sethvmcontext"), architecture: "x86_64" },
  { ...initial("domain", "setvcpucontext", "XEN_DOMCTL_setvcpucontext"), architecture: "arm64" },
  initial("domain", "unpause", "XEN_DOMCTL_unpausedomain"),
  initial("domain", "destroy", "XEN_DOMCTL_destroydomain"),
  { on: "xen_t", class: "xen", permission: "writeconsole", for: "CONSOLEIO_write" },
  relation("linked_initial_t", "domain", "create", "XEN_DOMCTL_createdomain"),
  relation("boot_domain_t_channel", "event", "create", "XEN_BOOT_DOMAIN_channel of its own"),
  relation("initial_event_type", "event", "create", "XEN_BOOT_DOMAIN_channel"),
  relation("initial_type", "grant", "setup", "XEN_BOOT_DOMAIN_grant"),
  relation("initial_type", "domain", "setaffinity", "XEN_DOMCTL_setvcpuaffinity"),
  relation("initial_type", "domain2", "setscheduler", "XEN_DOMCTL_scheduler_op"),
  relation("xen_t", "xen", "cpupool_op", "XEN_SYSCTL_cpupool_op"),
];
