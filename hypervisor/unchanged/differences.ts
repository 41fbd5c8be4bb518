// SPDX-License-Identifier: Apache-2.0
// Where Xen with the series but without CONFIG_BOOT_DOMAIN is not, instruction by instruction and
// byte by byte, Xen without the series. A test fails when a row is missing, and when one is spare.

import type { Architecture } from "../../setup/paths.js";

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

const asksForCaller =
  "reads again which CPU it runs on, and asks nothing of the domain that this leads to";
const loopPadding =
  "begins at another address, so that the compiler pads a loop by a `nop` more or less";
const permissionNames = "knows one permission more by its name, `create_control_domain`";
const consoleFlags = "sets `is_console` from flags that the check before has refused";
const domids =
  "looks for a free domid in the list of domains itself; passes on a flag that is refused";
const shutdownFlag = "tests a flag that no domain has";
const bootscrub = "is new, and nobody calls it";
const logLevel = "gives the level of dom0's lines as a parameter, and no longer in the format";

const onX86: readonly Difference[] = [
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
    why: consoleFlags,
  },
  {
    object: "common/domain.o",
    names: ["domain_shutdown"],
    why: shutdownFlag,
  },
  {
    object: "common/domctl.o",
    names: [".fixup", "do_domctl"],
    why: domids,
  },
  {
    object: "common/page_alloc.o",
    names: ["bootscrub_enabled"],
    why: bootscrub,
  },
  {
    object: "common/sched/core.o",
    names: [".altinstr_replacement"],
    why: "lists the same alternatives in another order: `do_poll()` comes at another place, since others may call it",
  },
  {
    object: "drivers/char/console.o",
    names: ["do_console_io"],
    why: logLevel,
  },
  {
    object: "xsm/flask/avc.o",
    names: [".data.rel.ro.local", "avc_audit"],
    why: permissionNames,
  },
  {
    object: "xsm/flask/ss/services.o",
    names: [".data.rel.ro.local", "security_context_to_sid", "security_sid_to_context"],
    why: initialSids,
  },
];

const onArm64: readonly Difference[] = [
  {
    object: "arch/arm/domain.o",
    names: ["arch_sanitise_domain_config"],
    why: asksForCaller,
  },
  {
    object: "arch/arm/traps.o",
    names: ["do_trap_stage2_abort_guest"],
    why: `${asksForCaller}; the compiler lays out its branches anew`,
  },
  {
    object: "arch/arm/vsmc.o",
    names: ["vsmccc_handle_call"],
    why: `${asksForCaller}; the compiler lays out its branches anew`,
  },
  {
    object: "xsm/flask/flask_op.o",
    names: [".rodata", "do_flask_op"],
    why: `${asksForCaller}; its jump table is another`,
  },
  {
    object: "xsm/flask/hooks.o",
    names: [".rodata", "flask_domain_create", "flask_domctl"],
    why: `${asksForCaller}; a jump table is another`,
  },
  {
    object: "common/domain.o",
    names: ["domain_create"],
    why: `${consoleFlags}; ${asksForCaller}`,
  },
  { object: "common/domain.o", names: ["domain_shutdown"], why: shutdownFlag },
  {
    object: "common/domctl.o",
    names: [".rodata", "do_domctl"],
    why: `${domids}; ${asksForCaller}; its jump table is another`,
  },
  {
    object: "drivers/char/console.o",
    names: ["do_console_io"],
    why: `${logLevel}; ${asksForCaller}`,
  },
  {
    object: "arch/arm/domain_build.o",
    names: ["construct_dom0", "construct_domU"],
    why: "has room for one field more of a kernel's header, which nobody reads",
  },
  {
    object: "arch/arm/kernel.o",
    names: ["kernel_probe", "kernel_zimage_load"],
    why: "keeps one field more of a kernel's header, which nobody reads",
  },
  {
    object: "arch/arm/vgic.o",
    names: ["domain_vgic_free"],
    why: "does not crash when a domain is destroyed for whose interrupts there was no memory",
  },
  {
    object: "arch/arm/vpl011.o",
    names: ["domain_vpl011_deinit", "domain_vpl011_init"],
    why: "forgets where the memory was that it frees",
  },
  { object: "arch/arm/domain.o", names: ["relinquish_memory"], why: destruction },
  {
    object: "arch/arm/p2m.o",
    names: ["p2m_teardown", "relinquish_p2m_mapping"],
    why: destruction,
  },
  { object: "common/event_channel.o", names: ["evtchn_destroy"], why: destruction },
  { object: "common/grant_table.o", names: ["gnttab_release_mappings"], why: destruction },
  { object: "arch/arm/p2m.o", names: ["p2m_init"], why: loopPadding },
  {
    object: "arch/arm/p2m.o",
    names: ["get_page_from_gva", "p2m_lookup_order"],
    why: "looks up by a function that can also say the entry's order, and is not asked to",
  },
  { object: "common/event_channel.o", names: ["evtchn_destroy_final"], why: loopPadding },
  { object: "common/page_alloc.o", names: ["init_boot_pages"], why: loopPadding },
  { object: "xsm/flask/hooks.o", names: ["flask_profile"], why: loopPadding },
  { object: "common/page_alloc.o", names: ["bootscrub_enabled"], why: bootscrub },
  {
    object: "common/sched/core.o",
    names: ["do_poll", "do_sched_op", "do_set_timer_op", "domain_watchdog"],
    why: "is more functions, since others may call `do_poll()` and `domain_watchdog()`, and was fewer",
  },
  { object: "common/sysctl.o", names: ["do_sysctl"], why: asksForCaller },
  {
    object: "xsm/flask/avc.o",
    names: [".rodata", "avc_audit"],
    why: permissionNames,
  },
  {
    object: "xsm/flask/ss/services.o",
    names: [".rodata", "security_context_to_sid", "security_sid_to_context"],
    why: initialSids,
  },
];

export const differences: Readonly<Record<Architecture, readonly Difference[]>> = {
  x86_64: onX86,
  arm64: onArm64,
};
