/* SPDX-License-Identifier: Apache-2.0 */
/* What a domain is given at its start on x86-64: struct hvm_start_info and what it points to. */
#include <public/arch-x86/hvm/start_info.h>

struct given {
    struct hvm_start_info info;
};

static int is_given(const struct given *given)
{
    return given->info.magic == XEN_HVM_START_MAGIC_VALUE && given->info.version == 1;
}

static const char *command_line(const struct given *given)
{
    return (const char *)given->info.cmdline_paddr;
}

static unsigned int modules(const struct given *given)
{
    return given->info.nr_modules;
}

static const struct hvm_modlist_entry *module_list(const struct given *given)
{
    return (const void *)given->info.modlist_paddr;
}

static unsigned int memory_ranges(const struct given *given)
{
    return given->info.memmap_entries;
}

static const struct hvm_memmap_table_entry *memory_map(const struct given *given)
{
    return (const void *)given->info.memmap_paddr;
}
