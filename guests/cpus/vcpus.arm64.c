/* SPDX-License-Identifier: Apache-2.0 */
/* vCPUs on arm64: the device tree names them, PSCI (Arm DEN 0022) starts them. */
#include <stdint.h>

#include "cpus.h"
#include "given.h"

#define CPU_OFF       0x84000002
#define CPU_ON        0xc4000003
#define AFFINITY_MASK 0xff00ffffffUL

extern uint8_t secondary[];

static long psci(uint64_t function, uint64_t a, uint64_t b, uint64_t c)
{
    register uint64_t x0 asm ("x0") = function, x1 asm ("x1") = a;
    register uint64_t x2 asm ("x2") = b, x3 asm ("x3") = c;

    asm volatile ("hvc #0" : "+r" (x0), "+r" (x1), "+r" (x2), "+r" (x3) :: "memory");
    return x0;
}

uint64_t own_id(void)
{
    uint64_t mpidr;

    asm ("mrs %0, mpidr_el1" : "=r" (mpidr));
    return mpidr & AFFINITY_MASK;
}

int next_vcpu(const struct given *given, uint32_t *place, uint64_t *id)
{
    static struct property property;

    if ( !find_property(given, place, &property, 3, "cpu@", "reg") )
        return 0;
    *id = number_at(property.value, property.bytes);
    return 1;
}

long start_vcpu(uint64_t id, uint64_t number)
{
    return psci(CPU_ON, id, (unsigned long)secondary, number);
}

void stop_vcpu(void)
{
    psci(CPU_OFF, 0, 0, 0);
    __builtin_unreachable();
}
