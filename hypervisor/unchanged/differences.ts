// SPDX-License-Identifier: Apache-2.0
// Where Xen with the series but without CONFIG_BOOT_DOMAIN is not, instruction by instruction and
// byte by byte, Xen without the series. A test fails when a row is missing, and when one is spare.

export interface Difference {
  /** Object file in Xen's tree. */
  readonly object: string;
  /** Functions, or sections of what is in no function. */
  readonly names: readonly string[];
  readonly why: string;
}

const hardwareDomain = "asks first whether there is a hardware domain, which there is as ever";
const destruction =
  "asks `general_preempt_check()`, which in a hypercall answers as the check before did";
const initialSids =
  "before a policy is loaded, knows one initial SID more by its name, the boot domain's";

export const differences: readonly Difference[] = [
  { object: "arch/x86/acpi/cpu_idle.o", names: ["set_cx_pminfo"], why: hardwareDomain },
  { object: "arch/x86/cpu/vpmu.o", names: ["vpmu_do_interrupt"], why: hardwareDomain },
  { object: "arch/x86/io_apic.o", names: ["ioapic_guest_write"], why: hardwareDomain },
  { object: "arch/x86/x86_64/mm.o", names: ["memory_add"], why: hardwareDomain },
  { object: "drivers/char/ns16550.o", names: ["ns16550_endboot"], why: hardwareDomain },
  {
    object: "drivers/passthrough/pci.o",
    names: ["iommu_do_pci_domctl", "pci_add_device"],
    why: hardwareDomain,
  },
  {
    object: "arch/x86/mm.o",
    names: ["alloc_xen_pagetable.part"],
    why: "without hardware domain, panics for want of memory only while Xen boots",
  },
  {
    object: "arch/x86/hvm/dom0_build.o",
    names: ["dom0_construct_pvh"],
    why: "adds two registers in the other order, as the compiler chooses",
  },
  { object: "arch/x86/domain.o", names: ["relinquish_memory"], why: destruction },
  {
    object: "arch/x86/mm.o",
    names: ["_put_page_type", "_put_page_type.cold", "devalidate_page"],
    why: destruction,
  },
  { object: "arch/x86/mm/p2m-pod.o", names: ["p2m_pod_empty_cache"], why: destruction },
  { object: "arch/x86/mm/paging.o", names: ["paging_free_log_dirty_bitmap"], why: destruction },
  { object: "common/event_channel.o", names: ["evtchn_destroy"], why: destruction },
  { object: "common/grant_table.o", names: ["gnttab_release_mappings"], why: destruction },
  {
    object: "arch/x86/spec_ctrl.o",
    names: ["spec_ctrl_init_domain"],
    why: "compares the domid in a function: the compiler puts the branches in another order",
  },
  {
    object: "common/domain.o",
    names: ["domain_create"],
    why: "sets `is_console` from flags that the check before has refused",
  },
  {
    object: "common/domain.o",
    names: ["domain_shutdown"],
    why: "tests a flag that no domain has",
  },
  {
    object: "common/domctl.o",
    names: [".fixup", "do_domctl"],
    why: "looks for a free domid in the list of domains itself; passes on a flag that is refused",
  },
  {
    object: "common/page_alloc.o",
    names: ["bootscrub_enabled"],
    why: "is new, and nobody calls it",
  },
  {
    object: "drivers/char/console.o",
    names: ["do_console_io"],
    why: "gives the level of dom0's lines as a parameter, and no longer in the format",
  },
  {
    object: "xsm/flask/avc.o",
    names: [".data.rel.ro.local", "avc_audit"],
    why: "knows one permission more by its name, `create_control_domain`",
  },
  {
    object: "xsm/flask/ss/services.o",
    names: [".data.rel.ro.local", "security_context_to_sid", "security_sid_to_context"],
    why: initialSids,
  },
];
