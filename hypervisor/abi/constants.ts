// SPDX-License-Identifier: Apache-2.0
// Which of Xen's public constants and structures domb uses. generate.ts asks the patched Xen's own
// headers for their values and writes contract/xen-abi.ts; nothing of Xen's is typed by hand.

/** Public headers that hold all of the names below, relative to Xen's `include`. */
export const headers = [
  "public/errno.h",
  "public/xen.h",
  "public/domctl.h",
  "public/memory.h",
  "public/sched.h",
  "public/elfnote.h",
  "public/boot_domain.h",
  "public/arch-x86/hvm/start_info.h",
  "public/hvm/save.h",
] as const;

/** Macros and enumerators, by the name they have in Xen. */
export const values = [
  "DOMID_SELF",
  "DOMID_FIRST_RESERVED",
  "XEN_DOMCTL_INTERFACE_VERSION",
  "XEN_DOMCTL_createdomain",
  "XEN_DOMCTL_destroydomain",
  "XEN_DOMCTL_unpausedomain",
  "XEN_DOMCTL_max_mem",
  "XEN_DOMCTL_max_vcpus",
  "XEN_DOMCTL_sethvmcontext",
  "XEN_DOMCTL_set_paging_mempool_size",
  "XEN_DOMCTL_CDF_hvm",
  "XEN_DOMCTL_CDF_hap",
  "XEN_DOMCTL_CDF_xen_log",
  "XEN_X86_EMU_LAPIC",
  "XENMEM_populate_physmap",
  "XENMEM_add_to_physmap_batch",
  "XENMEM_remove_from_physmap",
  "XENMAPSPACE_gmfn_foreign",
  "XEN_BOOT_DOMAIN_exit",
  "XEN_ELFNOTE_PHYS32_ENTRY",
  "XEN_HVM_START_MAGIC_VALUE",
  "XEN_HVM_MEMMAP_TYPE_RAM",
  "XEN_HVM_MEMMAP_TYPE_RESERVED",
  "HVM_FILE_MAGIC",
  "HVM_FILE_VERSION",
  "XEN_EPERM",
  "XEN_ENOENT",
  "XEN_ESRCH",
  "XEN_E2BIG",
  "XEN_ENOMEM",
  "XEN_EACCES",
  "XEN_EFAULT",
  "XEN_EBUSY",
  "XEN_EEXIST",
  "XEN_EINVAL",
  "XEN_ENXIO",
  "XEN_ENOSYS",
  "XEN_EOPNOTSUPP",
  "XEN_ENODATA",
  "XEN_ERANGE",
] as const;

/** Function-like macros with the argument that domb gives them. */
export const expressions: Readonly<Record<string, string>> = {
  XEN_DOMCTL_GRANT_version_1: "XEN_DOMCTL_GRANT_version(1)",
};

/** HVM save records: their type codes are in a structure's type, not in a macro. */
export const saveRecords = ["HEADER", "CPU", "MTRR", "END"] as const;

/** Structures, by their C type, with the fields whose offsets are used. */
export const structures: Readonly<Record<string, readonly string[]>> = {
  "struct xen_domctl": [
    "cmd",
    "interface_version",
    "domain",
    "u.createdomain.ssidref",
    "u.createdomain.flags",
    "u.createdomain.max_vcpus",
    "u.createdomain.max_evtchn_port",
    "u.createdomain.max_grant_frames",
    "u.createdomain.max_maptrack_frames",
    "u.createdomain.grant_opts",
    "u.createdomain.arch.emulation_flags",
    "u.max_vcpus.max",
    "u.max_mem.max_memkb",
    "u.paging_mempool.size",
    "u.hvmcontext.size",
    "u.hvmcontext.buffer",
  ],
  "struct xen_memory_reservation": [
    "extent_start",
    "nr_extents",
    "extent_order",
    "mem_flags",
    "domid",
  ],
  "struct xen_add_to_physmap_batch": [
    "domid",
    "space",
    "size",
    "u.foreign_domid",
    "idxs",
    "gpfns",
    "errs",
  ],
  "struct xen_remove_from_physmap": ["domid", "gpfn"],
  "struct multicall_entry": ["op", "result", "args"],
  "struct xen_boot_domain_exit": ["status", "step", "operation", "domain", "error"],
  "struct hvm_start_info": [
    "magic",
    "version",
    "flags",
    "nr_modules",
    "modlist_paddr",
    "cmdline_paddr",
    "rsdp_paddr",
    "memmap_paddr",
    "memmap_entries",
  ],
  "struct hvm_modlist_entry": ["paddr", "size", "cmdline_paddr"],
  "struct hvm_memmap_table_entry": ["addr", "size", "type"],
  "struct hvm_save_descriptor": ["typecode", "instance", "length"],
  "struct hvm_save_header": ["magic", "version", "changeset", "cpuid", "gtsc_khz"],
  "struct hvm_hw_cpu": [
    "rbx",
    "rip",
    "rflags",
    "cr0",
    "dr6",
    "dr7",
    "cs_base",
    "ds_base",
    "es_base",
    "ss_base",
    "tr_base",
    "cs_limit",
    "ds_limit",
    "es_limit",
    "ss_limit",
    "tr_limit",
    "cs_arbytes",
    "ds_arbytes",
    "es_arbytes",
    "ss_arbytes",
    "tr_arbytes",
  ],
  "struct hvm_hw_mtrr": ["msr_pat_cr", "msr_mtrr_cap", "msr_mtrr_def_type"],
};

/** Hypercall numbers: the boot domain's multicall names one; its shim takes the rest from Xen. */
export const hypercalls = ["__HYPERVISOR_memory_op"] as const;
