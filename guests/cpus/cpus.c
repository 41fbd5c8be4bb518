/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts every vCPU that it is told of, one after another; each says that it runs, and which it is by
 * its own registers.
 */
#include <stdint.h>
#include <public/sched.h>

#include "../print.h"
#include "cpus.h"

static volatile uint32_t running;

static void say_running(uint64_t number)
{
    print_number("cpus: ", number);
    print_number(" runs, its own id is ", own_id());
    print("\n");
}

void __attribute__((noreturn)) secondary_guest(uint64_t number)
{
    say_running(number);
    running = number;
    stop_vcpu();
}

void guest(const struct given *given)
{
    uint32_t place = 0, number = 0;
    uint64_t id;

    prepare_hypercalls();
    say_running(0);
    while ( number + 1 < MAX_VCPUS && next_vcpu(given, &place, &id) )
    {
        long answer;

        if ( id == own_id() )
            continue;
        answer = start_vcpu(id, ++number);
        if ( answer )
        {
            print_number("cpus: no start, the answer is ", answer);
            print("\n");
            return;
        }
        while ( running != number )
            hypercall(__HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0);
    }
    print_number("cpus: started ", number);
    print("\ndomb: domain is up\n");
}
