/* SPDX-License-Identifier: Apache-2.0 */
/* The machine below the boot domain's wasm, on arm64: hypercalls, the clock, and the start. */
#include <stdint.h>

#include <public/xen.h>

#include "contract.h"
#include "domb.h"

/* Ends the boot domain, in entry.S. */
extern void __attribute__((noreturn)) crash(void);

static long hypercall(unsigned int number, unsigned long a, unsigned long b, unsigned long c)
{
    register unsigned long x0 asm ("x0") = a, x1 asm ("x1") = b, x2 asm ("x2") = c;
    register unsigned long x16 asm ("x16") = number;

    asm volatile ("hvc #0xea1" : "+r" (x0), "+r" (x1), "+r" (x2), "+r" (x16) :: "x3", "x4", "memory");
    return x0;
}

/* As <string.h>; the compiler calls them too. */
void *memcpy(void *destination, const void *source, size_t bytes)
{
    uint8_t *to = destination;
    const uint8_t *from = source;
    uint64_t low, high;

    for ( ; bytes >= 16; bytes -= 16 )
        asm volatile ("ldp %2, %3, [%0], #16; stp %2, %3, [%1], #16"
                      : "+r" (from), "+r" (to), "=&r" (low), "=&r" (high) :: "memory");
    for ( ; bytes != 0; bytes-- )
        *to++ = *from++;
    return destination;
}

void *memset(void *destination, int value, size_t bytes)
{
    uint8_t *to = destination;
    uint64_t pattern = (uint8_t)value * 0x0101010101010101UL;

    for ( ; bytes >= 16; bytes -= 16 )
        asm volatile ("stp %1, %1, [%0], #16" : "+r" (to) : "r" (pattern) : "memory");
    for ( ; bytes != 0; bytes-- )
        *to++ = value;
    return destination;
}

u64 Z_machineZ_clock(struct Z_machine_instance_t *machine)
{
    uint64_t ticks;

    asm volatile ("isb; mrs %0, cntvct_el0" : "=r" (ticks));
    return ticks;
}

#include "../imports.c"

/* Xen tells where the image is; the counter's frequency is the board's own. */
void start(uintptr_t address, uint64_t bytes)
{
    uint64_t hertz;

    asm ("mrs %0, cntfrq_el0" : "=r" (hertz));
    launch(address, bytes, hertz / 1000, MACHINE_ARM64);
}
