/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Never ends: writes a line now and then, so that others see whether it still runs. In between it
 * sleeps, and leaves the CPU to them.
 */
#include <stdint.h>

#include <public/arch-x86/hvm/start_info.h>
#include <public/sched.h>
#include <public/vcpu.h>

#include "../hypercall.h"
#include "../print.h"

#define PERIOD_NS 50000000UL

static void sleep(void)
{
    struct vcpu_runstate_info info;
    struct sched_poll poll = { .nr_ports = 0 };

    /* The state was entered when the vCPU last began to run, which is almost now. */
    hypercall(__HYPERVISOR_vcpu_op, VCPUOP_get_runstate_info, 0, (unsigned long)&info);
    poll.timeout = info.state_entry_time + PERIOD_NS;
    hypercall(__HYPERVISOR_sched_op, SCHEDOP_poll, (unsigned long)&poll, 0);
}

void guest(const struct hvm_start_info *info)
{
    set_hypercall_page();
    for ( uint64_t tick = 0; ; tick++ )
    {
        print_number("ticker: ", tick);
        print(tick ? "\n" : "\ndomb: domain is up\n");
        sleep();
    }
}
