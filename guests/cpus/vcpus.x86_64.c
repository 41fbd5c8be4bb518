/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vCPUs on x86-64: the MADT among the ACPI tables names their local APICs, and messages between these
 * start them: INIT, and twice where to begin.
 */
#include <stdint.h>

#include "cpus.h"
#include "given.h"

#define LOCAL_APIC   0xfee00000UL
#define APIC_ID      0x20
#define APIC_COMMAND 0x300
#define APIC_TARGET  0x310
#define INIT         0x4500
#define STARTUP      0x4600

/* Offsets in ACPI's structures. */
#define ROOT_XSDT     24
#define TABLE_BYTES   4
#define XSDT_ENTRIES  36
#define MADT_ENTRIES  44
#define MADT_APIC     0

extern const uint8_t secondary[], secondary_end[];
/* Read by `secondary`. */
volatile uint32_t secondary_number;

static volatile uint32_t *apic(unsigned long offset)
{
    return (volatile uint32_t *)(LOCAL_APIC + offset);
}

static uint32_t word_at(const uint8_t *at)
{
    return *(const uint32_t __attribute__((aligned(1), may_alias)) *)at;
}

static const uint8_t *pointer_at(const uint8_t *at)
{
    return (const uint8_t *)(word_at(at) | (uint64_t)word_at(at + 4) << 32);
}

/* The table with this signature, or NULL. */
static const uint8_t *find_table(const struct given *given, uint32_t signature)
{
    const uint8_t *root = (const uint8_t *)given->info.rsdp_paddr;
    const uint8_t *xsdt = pointer_at(root + ROOT_XSDT);
    const uint8_t *at = xsdt + XSDT_ENTRIES, *end = xsdt + word_at(xsdt + TABLE_BYTES);

    for ( ; at < end; at += 8 )
        if ( word_at(pointer_at(at)) == signature )
            return pointer_at(at);
    return 0;
}

uint64_t own_id(void)
{
    return *apic(APIC_ID) >> 24;
}

int next_vcpu(const struct given *given, uint32_t *place, uint64_t *id)
{
    const uint8_t *madt = find_table(given, 0x43495041 /* "APIC" */);
    const uint8_t *entry;

    if ( !*place )
        *place = MADT_ENTRIES;
    do {
        if ( !madt || *place >= word_at(madt + TABLE_BYTES) )
            return 0;
        entry = madt + *place;
        *place += entry[1];
    } while ( entry[0] != MADT_APIC );
    *id = entry[3];
    return 1;
}

static void send(uint64_t id, uint32_t message)
{
    *apic(APIC_TARGET) = id << 24;
    *apic(APIC_COMMAND) = message;
}

long start_vcpu(uint64_t id, uint64_t number)
{
    const uint8_t *from = secondary;
    uint8_t *to = (uint8_t *)SECONDARY_ADDRESS;
    unsigned long bytes = secondary_end - secondary;

    /* It starts in real mode, in the first MiB. */
    asm volatile ("rep movsb" : "+S" (from), "+D" (to), "+c" (bytes) :: "memory");
    secondary_number = number;
    send(id, INIT);
    send(id, STARTUP | SECONDARY_ADDRESS >> 12);
    send(id, STARTUP | SECONDARY_ADDRESS >> 12);
    return 0;
}

void stop_vcpu(void)
{
    for ( ;; )
        asm volatile ("cli; hlt");
}
