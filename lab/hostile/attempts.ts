// SPDX-License-Identifier: Apache-2.0
// What a hostile boot domain tries, and what Xen must answer: hostile.c makes the attempts under
// these names, the test compares, docs/hostile-boot-domain.md shows.

import type { Architecture } from "../../setup/paths.js";
import type { ErrnoName } from "../../xen-model/errno.js";

export interface Attempt {
  readonly name: string;
  readonly what: string;
  /** An errno, or the number that is answered. */
  readonly answer: ErrnoName | number;
}

export interface AttemptGroup {
  readonly title: string;
  readonly attempts: readonly Attempt[];
  /** Where they are made. */
  readonly architectures: readonly Architecture[];
}

type Row = readonly [name: string, answer: Attempt["answer"], what: string];

function group(
  title: string,
  rows: readonly Row[],
  architectures: readonly Architecture[] = ["x86_64", "arm64"],
): AttemptGroup {
  const attempts = rows.map(([name, answer, what]) => ({ name, answer, what }));
  return { title, attempts, architectures };
}

function groupOn(architecture: Architecture, title: string, rows: readonly Row[]): AttemptGroup {
  return group(`${title}, ${architecture}`, rows, [architecture]);
}

const operations = [
  ["vcpus", "allocate vCPUs of"],
  ["pool", "size the paging pool of"],
  ["limit", "limit the memory of"],
  ["context", "set the CPU context of"],
  ["start", "start"],
  ["populate", "give memory to"],
  ["copy", "copy a page to"],
  ["clear", "clear a page of"],
] as const;

/** Every operation of a launch on one domain: domctls, populate (pages given), copy and clear. */
function onDomain(name: string, words: string, domctl: ErrnoName, fill: ErrnoName): readonly Row[] {
  return operations.map(([operation, what]) => {
    const answer =
      operation === "populate" ? 0 : operation === "copy" || operation === "clear" ? fill : domctl;
    return [`${name}_${operation}`, answer, `${what} ${words}`];
  });
}

/** All ones: nobody answers. */
const NOBODY = 0xffffffff;
/** arm64: there is no such register, instruction or call. */
const NONE = -1;

export const attemptGroups: readonly AttemptGroup[] = [
  group("Privileges", [
    ["control_again", "EPERM", "make a second control domain; the launch has made the first"],
    ["xenstore_dropped", "EPERM", "make a xenstore domain, which the plan has dropped"],
    ["hardware", "EOPNOTSUPP", "make a hardware domain"],
    ["unknown_flag", "EPERM", "create a domain with a flag that nobody knows"],
    ["drop_other_flag", "EINVAL", "drop a flag that is no privilege"],
    ["drop_other_interface", "EACCES", "drop as the boot domain of another Xen would"],
    ["console_first", 0, "give away the console, which the launch has not"],
    ["console_again", "EPERM", "give it away twice"],
    ["undo_unstarted", 0, "destroy the domain that has it, before its start"],
    ["console_after_undo", 0, "give it to another then"],
    ["plain", 0, "create a plain domain"],
  ]),
  group("Kinds of domains", [
    ["create_shadow", "EPERM", "without nested paging"],
    ["create_pv", "EPERM", "PV"],
    ["create_s3_integrity", "EPERM", "with S3 integrity"],
    ["create_oos_off", "EPERM", "with shadows in sync"],
    ["create_iommu", "EPERM", "with passthrough"],
    ["create_nested", "EPERM", "with nested virtualisation"],
    ["create_vpmu", "EPERM", "with performance counters"],
    ["create_trace", "EPERM", "with processor trace"],
    ["create_iommu_options", "EPERM", "with options for the IOMMU"],
    ["create_cpupool", "ESRCH", "in a CPU pool that is not there"],
    ["create_no_vcpus", "EINVAL", "without vCPUs"],
    ["create_many_vcpus", "EINVAL", "with more vCPUs than there can be"],
    ["create_grant_version", "EINVAL", "with an unknown version of grants"],
    ["create_taken", "EEXIST", "with the domid of another"],
    ["create_own_domid", "EEXIST", "with its own domid"],
    ["create_reserved", "EEXIST", "with a domid that is reserved"],
  ]),
  groupOn("x86_64", "Kinds of domains and contexts", [
    ["create_devices", "EPERM", "with emulated devices"],
    ["create_relaxed_msrs", "EPERM", "with relaxed MSRs"],
    ["context_of_timer", "EPERM", "set the context of an emulated timer"],
  ]),
  groupOn("arm64", "Kinds of domains and contexts", [
    ["create_gic_native", "ENODEV", "with whichever interrupt controller the host has"],
    ["create_gic_other", "ENODEV", "with one that the host has not"],
    ["create_gic_unknown", "ENODEV", "with one that nobody knows"],
    ["create_tee", "EPERM", "with a trusted execution environment"],
    ["create_many_spis", "EPERM", "with more shared interrupts than dom0 could have"],
    ["create_clock", "EPERM", "with a clock of another frequency"],
    ["create_uart_without_interrupt", "EINVAL", "with a UART, but no interrupt for it"],
    ["address_size", "EPERM", "make a domain a 32-bit one"],
    ["context_no_vcpu", "EINVAL", "set the context of a vCPU that is not there"],
    ["start_without_vcpu", "EPERM", "start a domain that lacks a vCPU"],
    ["context_other_vcpu", "EPERM", "set the context of another vCPU than the first"],
    ["context_el2", "EINVAL", "start a vCPU in the hypervisor's mode"],
    ["context_el3", "EINVAL", "start a vCPU in the secure monitor's mode"],
    ["context_32_bit", "EINVAL", "start a vCPU in a 32-bit mode"],
    ["context_return_to_el2", "EINVAL", "have a vCPU return from an exception to it"],
    ["context_bad_pointer", "EFAULT", "set a context by a pointer to nowhere"],
    ["context_wild", 0, "set nearly all other bits of a context to ones"],
    ["context_wild_start", 0, "start that domain, which faults for ever"],
    ["context_after_start", "EPERM", "set the context of a domain that it has started"],
    ["context_wild_undo", 0, "destroy that domain"],
  ]),
  group("The seal, and domains that are not its own", [
    ...onDomain("started", "a domain that it has started", "EPERM", "EPERM"),
    ...onDomain("self", "itself", "EPERM", "EPERM"),
    ...onDomain("domid_self", "DOMID_SELF", "ESRCH", "ESRCH"),
    ...onDomain("domid_xen", "Xen", "ESRCH", "ESRCH"),
    ...onDomain("domid_io", "DOMID_IO", "ESRCH", "ESRCH"),
    ...onDomain("unused", "a domain that is not there", "ESRCH", "ESRCH"),
    ["self_destroy", "EPERM", "destroy itself"],
    ["populate_flags", 0, "choose where a domain's memory lies: no page is given"],
    ["copy_nowhere", "ENOENT", "copy to a frame that a domain does not have"],
    ["copy_bad_pointer", "EFAULT", "copy with a pointer to nowhere"],
    ["domctl_bad_pointer", "EFAULT", "a domctl with a pointer to nowhere"],
    ["undo_started", 0, "destroy a domain that it has started: the undoing of a launch"],
  ]),
  group("Links", [
    ["channel_of_started", "EPERM", "open an event channel of a domain that it has started"],
    ["channel_to_started", "EPERM", "open one for a domain that it has started"],
    ["channel_to_itself", "EPERM", "open one of a domain for itself"],
    ["channel_of_unused", "ESRCH", "open one of a domain that is not there"],
    ["channel_to_unused", "ESRCH", "open one for a domain that is not there"],
    ["channel_of_xen", "ESRCH", "open one of Xen"],
    ["channel_port_0", "EINVAL", "open one at port 0"],
    ["channel_port_beyond", "ENOSPC", "open one beyond the domain's ports"],
    ["channel_bad_pointer", "EFAULT", "open one with a pointer to nowhere"],
    ["channel", 0, "open one between two domains that it has not started"],
    ["channel_again", "EEXIST", "open another one there"],
    ["signal_of_started", "EPERM", "open a signal channel for a domain that it has started"],
    ["signal_of_unused", "ESRCH", "open one for a domain that is not there"],
    ["signal", 0, "open one for a domain that it has not started"],
    ["signal_again", "EEXIST", "open another one there"],
    ["grant_of_started", "EPERM", "grant memory of a domain that it has started"],
    ["grant_to_started", "EPERM", "grant memory to a domain that it has started"],
    ["grant_of_itself", "EPERM", "grant its own memory"],
    ["grant_to_itself", "EPERM", "grant a domain's memory to itself"],
    ["grant_of_unused", "ESRCH", "grant memory of a domain that is not there"],
    ["grant_beyond_table", "ERANGE", "by an entry beyond the grant table"],
    ["grant_entries_wrap", "ERANGE", "by entries whose numbers overflow"],
    ["grant_frames_wrap", "ERANGE", "of frames whose numbers overflow"],
    ["grant_unknown_flag", "EINVAL", "with a flag that nobody knows"],
    ["grant_bad_pointer", "EFAULT", "with a pointer to nowhere"],
    ["grant", 0, "grant a frame that a domain does not have, in each entry of its table"],
    ["grant_again", 0, "by an entry that is in use, which is another then"],
    ["start_unbuilt", "EPERM", "start a domain that lacks its first vCPU, which gets events"],
  ]),
  group("A second launch", [
    ["reserve_late", "EPERM", "reserve a privilege when there has been a domain"],
    ["reserve_other_flag", "EINVAL", "reserve a flag that is no privilege"],
    ["claim_too_much", "ENOMEM", "claim more memory than there is"],
    ["claim_wraps", "ENOMEM", "claim so many pages that their number overflows"],
    ["claim", 0, "claim a page"],
    ["claim_nothing", 0, "give it back"],
  ]),
  group("CPUs", [
    ["affinity_of_started", "EPERM", "pin a vCPU of a domain that it has started"],
    ["affinity_of_itself", "EPERM", "pin its own vCPU"],
    ["affinity_soft", "EPERM", "set a vCPU's soft affinity"],
    ["affinity_forced", "EPERM", "undo what Xen itself has pinned"],
    ["affinity_large_map", "EPERM", "by a map whose bytes Xen would clear for minutes"],
    ["affinity_no_vcpu", "ESRCH", "pin a vCPU that is not there"],
    ["affinity_many_vcpus", "EINVAL", "pin a vCPU that can't be there"],
    ["share_of_started", "EPERM", "change the weight of a domain that it has started"],
    ["share_of_itself", "EPERM", "change its own weight"],
    ["share_read", "EPERM", "read a domain's weight"],
    ["share_of_vcpus", "EPERM", "set what single vCPUs get"],
    ["share_real_time", "EPERM", "set a period of the real-time scheduler"],
    ["share_other_scheduler", "EINVAL", "set a weight of a scheduler that is not the domain's"],
    ["pool_create", "EPERM", "make a CPU pool while a domain runs that it has started"],
    ["pool_destroy", "EPERM", "destroy one"],
    ["pool_add_cpu", "EPERM", "give a pool a CPU then"],
    ["pool_remove_cpu", "EPERM", "take a CPU from a pool then"],
    ["sysctl_other_version", "EACCES", "a sysctl of another version"],
    ["sysctl_bad_pointer", "EFAULT", "a sysctl with a pointer to nowhere"],
  ]),
  group("News", [
    ["wait_reserved", "EINVAL", "wait with a field set that is reserved"],
    ["wait_bad_pointer", "EFAULT", "wait with a pointer to nowhere"],
    ["wait_in_vain", 0, "ask for news 10,000 times: how often there is some"],
    ["wait_shortly", 0, "sleep for a nanosecond, 1,000 times: how often there is some"],
    ["wait_for_ages", 0, "sleep for so long that the time is over before it begins"],
  ]),
  group("All numbers: how many are answered with anything else than a refusal", [
    ["other_hypercalls", 0, "each hypercall up to 255 that no launch makes, three ways"],
    ["other_domctls", 0, "each domctl up to 255 that no launch makes, on two domains"],
    ["other_sysctls", 0, "each sysctl up to 63 that no launch makes"],
    ["other_pool_ops", 0, "each operation on CPU pools up to 63 that no launch makes"],
    ["other_memory_ops", 0, "each memory operation up to 63 but populate: mapping among them"],
    ["other_console_ops", 0, "each console operation up to 63 but write"],
    ["label_ops", 0, "each XSM operation up to 63, where no FLASK policy is in force (ENOSYS)"],
    ["other_boot_domain_ops", 0, "each unknown boot domain operation up to 63 (ENOSYS)"],
    ["receipt", "ENODATA", "read the receipt before there is one"],
    ["policy", "ENODATA", "read the FLASK policy where none is in force"],
    ["wild_calls", 10000, "calls with wild arguments, the same each time: how many"],
    ["wild_answered", 0, "of these, calls that no launch makes, and that were not refused"],
  ]),
  groupOn("x86_64", "Hardware", [
    ["port_pci_configuration", NOBODY, "read PCI configuration by port 0xcfc"],
    ["port_post_code", NOBODY, "read port 0x80"],
    ["port_delay", NOBODY, "read port 0xed"],
    ["port_serial", NOBODY, "read the serial port"],
    ["port_power_management", NOBODY, "read the power management port"],
    ["memory_io_apic", NOBODY, "read the I/O APIC"],
    ["memory_hpet", NOBODY, "read the HPET"],
    ["memory_pci_configuration", NOBODY, "read PCI configuration in memory"],
    ["memory_firmware", NOBODY, "read the firmware"],
    ["msr_microcode_update", -1, "update the microcode: MSR 0x79"],
    ["msr_microcode_update_amd", 0, "update the microcode: MSR 0xc0010020, which is ignored"],
    ["msr_power_state", -1, "change the power state: MSR 0xc0010062"],
    ["msr_thermal", -1, "read the temperature: MSR 0x19c"],
    ["msr_smm_base", -1, "read SMM's base: MSR 0xc0010111"],
    ["msr_smm_count", -1, "count SMIs: MSR 0x34"],
    ["msr_virtualisation_host_save", 0, "move SVM's save area: MSR 0xc0010117, which is ignored"],
    ["msr_energy", -1, "read the energy counter: MSR 0x611"],
    ["msr_debug_store", -1, "place a debug store: MSR 0x600"],
    ["msr_memory_type", -1, "change the hardware's configuration: MSR 0xc0010015"],
  ]),
  groupOn("arm64", "Interrupt controller", [
    ["gic_enable_host_interrupts", 0, "enable shared interrupts: which are enabled then"],
    ["gic_message_interrupts", 0, "use message-based interrupts: GICR_TYPER.PLPIS"],
    ["gic_interrupt_others", 0, "interrupt all other CPUs: it has none"],
    ["gic_interrupt_secure", NONE, "interrupt them in the secure world"],
    ["gic_hypervisor_control", NONE, "read the hypervisor's control of interrupts"],
  ]),
  groupOn("arm64", "System registers and instructions", [
    ["register_hypervisor", NONE, "read the hypervisor's configuration: HCR_EL2"],
    ["register_translation", NONE, "change its own second stage of translation: VTTBR_EL2"],
    ["register_clock_offset", NONE, "change the offset of its clock: CNTVOFF_EL2"],
    ["register_clock_frequency", NONE, "change the clock's frequency: CNTFRQ_EL0"],
    ["register_secure", NONE, "read the secure world's configuration: SCR_EL3"],
    ["register_secure_timer", NONE, "use the secure timer: CNTPS_CTL_EL1"],
    ["register_auxiliary", 0, "the same by ACTLR_EL1, which is ignored"],
    ["register_cycle_counter", 0, "count cycles: what is counted"],
    ["register_breakpoint", 0, "set a breakpoint: what is set"],
    ["register_debug_control", 0, "enable hardware debugging: what is enabled"],
    ["cache_by_set_and_way", 0, "clean the cache by set and way, which Xen emulates"],
    ["flush_all_translations", NONE, "flush all translations of the host"],
    ["translate_for_hypervisor", NONE, "translate an address as the hypervisor does"],
  ]),
  groupOn("arm64", "Firmware", [
    ["hvc_other", NONE, "a hypervisor call with another number than Xen's"],
    ["smc_other", NONE, "a secure monitor call with a number"],
    ["smc_platform", NONE, "a call of the platform's firmware"],
    ["smc_trusted_application", NONE, "a call of a trusted application"],
    ["smc_trusted_os", NONE, "a call of the trusted operating system"],
    ["smc_cpu", NONE, "a call of the CPU's firmware"],
    ["psci_cpu_on", -2, "start a second vCPU: invalid parameters"],
    ["psci_cpu_on_self", -4, "start the vCPU that it runs on: already on"],
    ["psci_system_suspend", NONE, "suspend the system"],
    ["psci_memory_protection", NONE, "change memory protection"],
    ["psci_host_cpu_on", -2, "start a CPU of the host by a secure monitor call"],
  ]),
  group("The exit", [
    ["exit_bad_pointer", "EFAULT", "with a pointer to nowhere"],
    ["exit_large_receipt", "E2BIG", "with a receipt larger than 40 KiB"],
  ]),
];

/** What a hostile boot domain tries on an architecture. */
export function attemptsOn(architecture: Architecture): readonly AttemptGroup[] {
  return attemptGroups.filter(({ architectures }) => architectures.includes(architecture));
}
