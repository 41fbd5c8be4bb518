/* SPDX-License-Identifier: Apache-2.0 */
/* Sleeping on x86-64: until a time of Xen's clock. */
#include <public/sched.h>
#include <public/vcpu.h>

static void sleep(uint64_t nanoseconds)
{
    struct vcpu_runstate_info info;
    struct sched_poll poll = { .nr_ports = 0 };

    /* The state was entered when the vCPU last began to run, which is almost now. */
    hypercall(__HYPERVISOR_vcpu_op, VCPUOP_get_runstate_info, 0, (unsigned long)&info);
    poll.timeout = info.state_entry_time + nanoseconds;
    hypercall(__HYPERVISOR_sched_op, SCHEDOP_poll, (unsigned long)&poll, 0);
}
