/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests' boot domains need to know of arm64. Comes after the shim's machine.c. */
#define MACHINE              MACHINE_ARM64
#define XEN_DOMCTL_setcontext XEN_DOMCTL_setvcpucontext

/* What start() of the shim is given. */
#define START_PARAMETERS     uintptr_t address, uint64_t bytes
#define START_ARGUMENTS      address, bytes

/* The architecture's part of a domain's creation, as a launch has it on the lab's board. */
#define PLAIN_ARCH           { .gic_version = XEN_DOMCTL_CONFIG_GIC_V3 }

/* Any hypercall number, with arguments that nobody takes as well. */
static long any_hypercall(unsigned long number, unsigned long a, unsigned long b, unsigned long c)
{
    register unsigned long x0 asm ("x0") = a, x1 asm ("x1") = b, x2 asm ("x2") = c;
    register unsigned long x3 asm ("x3") = 0, x4 asm ("x4") = 0, x16 asm ("x16") = number;

    asm volatile ("hvc #0xea1"
                  : "+r" (x0), "+r" (x1), "+r" (x2), "+r" (x3), "+r" (x4), "+r" (x16) :: "memory");
    return x0;
}

/* As the shim's start() does: finds the module and the clock's frequency. */
static const uint8_t *begin(START_PARAMETERS, uint32_t *kilohertz)
{
    uint64_t hertz;

    asm ("mrs %0, cntfrq_el0" : "=r" (hertz));
    *kilohertz = hertz / 1000;
    return (const void *)address;
}
