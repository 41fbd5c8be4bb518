/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts the vCPUs that its device tree names, by PSCI (Arm DEN 0022), one after another; each says
 * that it runs, and which it is by its own registers.
 */
#include <stdint.h>

#include "../print.h"
#include "given.h"
#include "stacks.h"

#define CPU_OFF       0x84000002
#define CPU_ON        0xc4000003
#define AFFINITY_MASK 0xff00ffffffUL

extern uint8_t secondary[];
static volatile uint32_t running;

static uint64_t affinity(void)
{
    uint64_t mpidr;

    asm ("mrs %0, mpidr_el1" : "=r" (mpidr));
    return mpidr & AFFINITY_MASK;
}

static long psci(uint64_t function, uint64_t a, uint64_t b, uint64_t c)
{
    register uint64_t x0 asm ("x0") = function, x1 asm ("x1") = a;
    register uint64_t x2 asm ("x2") = b, x3 asm ("x3") = c;

    asm volatile ("hvc #0" : "+r" (x0), "+r" (x1), "+r" (x2), "+r" (x3) :: "memory");
    return x0;
}

static void say_running(uint64_t number)
{
    print_number("cpus: ", number);
    print_number(" runs, affinity ", affinity());
    print("\n");
}

void __attribute__((noreturn)) secondary_guest(uint64_t number)
{
    say_running(number);
    running = number;
    psci(CPU_OFF, 0, 0, 0);
    __builtin_unreachable();
}

void guest(const struct given *given)
{
    struct property property = { 0 };
    uint32_t place = 0, number = 0;

    say_running(0);
    while ( number < MAX_VCPUS && find_property(given, &place, &property, 3, "cpu@", "reg") )
    {
        uint64_t target = number_at(property.value, property.bytes);
        long answer;

        if ( target == affinity() )
            continue;
        answer = psci(CPU_ON, target, (unsigned long)secondary, ++number);
        if ( answer )
        {
            print_number("cpus: CPU_ON answers ", answer);
            print("\n");
            return;
        }
        while ( running != number )
            asm volatile ("yield" ::: "memory");
    }
    print_number("cpus: started ", number);
    print("\ndomb: domain is up\n");
}
