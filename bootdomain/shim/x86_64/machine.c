/* SPDX-License-Identifier: Apache-2.0 */
/* The machine below the boot domain's wasm, on x86-64: hypercalls, the clock, and the start. */
#include <stdint.h>

#include <public/xen.h>
#include <public/arch-x86/cpuid.h>
#include <public/arch-x86/hvm/start_info.h>

#include "contract.h"
#include "domb.h"

extern uint8_t hypercall_page[];

static long hypercall(unsigned int number, unsigned long a, unsigned long b, unsigned long c)
{
    long result;

    asm volatile ("call *%[entry]"
                  : "=a" (result), "+D" (a), "+S" (b), "+d" (c)
                  : [entry] "r" (hypercall_page + number * 32)
                  : "memory", "rcx", "r8", "r9", "r10", "r11");
    return result;
}

/* A fault of the boot domain's own: without handlers a second and a third follow, and Xen ends it. */
static void __attribute__((noreturn)) crash(void)
{
    __builtin_trap();
}

/* As <string.h>; the compiler calls them too. */
void *memcpy(void *destination, const void *source, size_t bytes)
{
    void *to = destination;
    size_t words = bytes / 8, rest = bytes % 8;

    asm volatile ("rep movsq" : "+D" (to), "+S" (source), "+c" (words) :: "memory");
    asm volatile ("rep movsb" : "+D" (to), "+S" (source), "+c" (rest) :: "memory");
    return destination;
}

void *memset(void *destination, int value, size_t bytes)
{
    void *to = destination;
    size_t words = bytes / 8, rest = bytes % 8;
    uint64_t pattern = (uint8_t)value * 0x0101010101010101UL;

    asm volatile ("rep stosq" : "+D" (to), "+c" (words) : "a" (pattern) : "memory");
    asm volatile ("rep stosb" : "+D" (to), "+c" (rest) : "a" (pattern) : "memory");
    return destination;
}

u64 Z_machineZ_clock(struct Z_machine_instance_t *machine)
{
    uint32_t low, high;

    asm volatile ("rdtsc" : "=a" (low), "=d" (high));
    return (uint64_t)high << 32 | low;
}

#include "../imports.c"

static void cpuid(uint32_t leaf, uint32_t registers[4])
{
    asm volatile ("cpuid"
                  : "=a" (registers[0]), "=b" (registers[1]), "=c" (registers[2]),
                    "=d" (registers[3])
                  : "a" (leaf), "c" (0));
}

/* Xen's CPUID leaves tell where to ask for the hypercall page, and the clock's frequency. */
void start(const struct hvm_start_info *info)
{
    const struct hvm_modlist_entry *module = (const void *)info->modlist_paddr;
    bool has_image = info->nr_modules != 0;
    uint32_t leaf[4];

    cpuid(XEN_CPUID_LEAF(2), leaf);
    asm volatile ("wrmsr" :: "c" (leaf[1]), "a" ((uint32_t)(uintptr_t)hypercall_page), "d" (0)
                  : "memory");
    cpuid(XEN_CPUID_LEAF(3), leaf);
    launch(has_image ? module->paddr : 0, has_image ? module->size : 0, leaf[2], MACHINE_X86_64);
}
