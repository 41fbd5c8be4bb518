/* SPDX-License-Identifier: Apache-2.0 */
/* The machine below a guest on arm64: hypercalls, by which it also writes to Xen's log. */
#include <public/xen.h>

static void prepare_hypercalls(void)
{
}

static long hypercall(unsigned int number, unsigned long a, unsigned long b, unsigned long c)
{
    register unsigned long x0 asm ("x0") = a, x1 asm ("x1") = b, x2 asm ("x2") = c;
    register unsigned long x16 asm ("x16") = number;

    asm volatile ("hvc #0xea1" : "+r" (x0), "+r" (x1), "+r" (x2), "+r" (x16) :: "x3", "x4", "memory");
    return x0;
}

/* To Xen's log: lost, if the domain may not. */
static void print_character(char character)
{
    hypercall(__HYPERVISOR_console_io, CONSOLEIO_write, 1, (unsigned long)&character);
}
