/* SPDX-License-Identifier: Apache-2.0 */
/* The machine below a guest on x86-64: hypercalls by the page that Xen fills, and the debug port. */
#include <public/arch-x86/cpuid.h>
#include <public/xen.h>

#define DEBUG_PORT 0xe9

static uint8_t hypercall_page[4096] __attribute__((aligned(4096)));

/* To be called before the first hypercall. */
static void prepare_hypercalls(void)
{
    uint32_t eax = XEN_CPUID_LEAF(2), msr, ecx = 0, edx;

    asm volatile ("cpuid" : "+a" (eax), "=b" (msr), "+c" (ecx), "=d" (edx));
    asm volatile ("wrmsr" :: "c" (msr), "a" ((uint32_t)(uintptr_t)hypercall_page), "d" (0)
                  : "memory");
}

static long hypercall(unsigned int number, unsigned long a, unsigned long b, unsigned long c)
{
    long result;

    asm volatile ("call *%[entry]"
                  : "=a" (result), "+D" (a), "+S" (b), "+d" (c)
                  : [entry] "r" (hypercall_page + number * 32)
                  : "memory", "rcx", "r8", "r9", "r10", "r11");
    return result;
}

/* To Xen's log: lost, if the domain may not. */
static void print_character(char character)
{
    asm volatile ("outb %0, %1" :: "a" (character), "Nd" (DEBUG_PORT));
}
