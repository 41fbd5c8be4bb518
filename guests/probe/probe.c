/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks at what a domain is given at its start, and says so in Xen's log: command line, memory map,
 * every page of RAM (written and read again at its first and last word), bss, module. "probe: ok"
 * only if all is as the start info says.
 */
#include <stdint.h>

#include "../print.h"
#include "given.h"

/* Larger than a page, and behind an initialised neighbour: cleared by whoever loads this. */
static uint64_t cleared[4096];
static uint64_t initialised = 0x646f6d62;

/* Whether what is written at an address is there when it is read again; the old value is kept. */
static int holds(uint64_t address)
{
    volatile uint64_t *word = (void *)address;
    uint64_t old = *word;
    int same;

    *word = ~address;
    same = *word == ~address;
    *word = old;
    return same;
}

static int ram_holds(const struct hvm_memmap_table_entry *map, unsigned int entries)
{
    uint64_t page;
    unsigned int entry;
    int all = 1;

    for ( entry = 0; entry < entries; entry++ )
    {
        print_number("\nprobe: memory ", map[entry].addr);
        print_number(" size ", map[entry].size);
        print_number(" type ", map[entry].type);
        if ( map[entry].type != XEN_HVM_MEMMAP_TYPE_RAM )
            continue;
        for ( page = map[entry].addr; page < map[entry].addr + map[entry].size; page += 4096 )
            all &= holds(page) & holds(page + 4088);
    }
    return all;
}

void guest(const struct given *given)
{
    const struct hvm_modlist_entry *module = module_list(given);
    unsigned int word;
    uint64_t byte, sum = 0;
    int ok = is_given(given);

    print("probe: command line ");
    print(command_line(given));
    for ( word = 0; word < sizeof(cleared) / sizeof(cleared[0]); word++ )
        ok &= cleared[word] == 0;
    ok &= initialised == 0x646f6d62;
    if ( modules(given) )
    {
        for ( byte = 0; byte < module->size; byte++ )
            sum += ((const uint8_t *)module->paddr)[byte];
        print_number("\nprobe: module size ", module->size);
        print_number(" sum ", sum);
    }
    ok &= ram_holds(memory_map(given), memory_ranges(given));
    print(ok ? "\nprobe: ok\n" : "\nprobe: wrong\n");
    print("domb: domain is up\n");
}
