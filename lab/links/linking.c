/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A boot domain that links the launch's domains 1 and 2, whatever the plan says: around the real
 * code it opens channels, grants pages and says where they run before the first of them starts,
 * and takes the exit as the time to wait for news. It says what Xen answers: "linking: NAME ANSWER",
 * "linking: news DOMID EVENT REASON". Ports and references are those of linked-launch.ts.
 */
#define Z_xenZ_domctl       real_domctl
#define Z_xenZ_bootDomainOp real_boot_domain_op
#include "machine.c"
#undef Z_xenZ_domctl
#undef Z_xenZ_bootDomainOp

#include <public/boot_domain.h>
#include <public/domctl.h>
#include <public/sched.h>
#include <public/sysctl.h>

#include "../batch/line.h"
#include "altered.h"

#define FIRST     1U
#define SECOND    2U
#define POOL      1U
#define SECOND_NS 1000000000UL
#define EACCES    13L

static long own(unsigned int command, void *it)
{
    return hypercall(__HYPERVISOR_boot_domain_op, command, (unsigned long)it, 0);
}

/* FLASK has refused something: there may be no news. */
static bool denied;

static void say(const char *name, long answer)
{
    denied |= answer == -EACCES;
    add_text("linking: ");
    add_text(name);
    add_text(answer < 0 ? " -" : " ");
    add_number(answer < 0 ? -answer : answer);
    end_line();
}

static long channel(uint16_t domid, uint16_t remote, uint32_t port)
{
    struct xen_boot_domain_channel it = { .domid = domid, .remote = remote, .port = port };

    return own(XEN_BOOT_DOMAIN_channel, &it);
}

static long grant(uint16_t remote, uint32_t ref, uint64_t gfn, uint32_t nr, uint32_t flags)
{
    struct xen_boot_domain_grant it = {
        .domid = FIRST, .remote = remote, .ref = ref, .gfn = gfn, .nr = nr, .flags = flags,
    };

    return own(XEN_BOOT_DOMAIN_grant, &it);
}

static long pool(uint32_t command, uint32_t number, uint32_t cpu)
{
    static struct xen_sysctl op;

    op.cmd = XEN_SYSCTL_cpupool_op;
    op.interface_version = XEN_SYSCTL_INTERFACE_VERSION;
    op.u.cpupool_op.op = command;
    op.u.cpupool_op.cpupool_id = number;
    op.u.cpupool_op.sched_id = XEN_SCHEDULER_NULL;
    op.u.cpupool_op.cpu = cpu;
    return hypercall(__HYPERVISOR_sysctl, (unsigned long)&op, 0, 0);
}

static struct xen_domctl op;

static long domctl(uint32_t command, uint16_t domid)
{
    op.cmd = command;
    op.interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    op.domain = domid;
    return hypercall(__HYPERVISOR_domctl, (unsigned long)&op, 0, 0);
}

static long place(uint16_t domid, uint64_t cpus)
{
    memset(&op, 0, sizeof(op));
    op.u.vcpuaffinity.flags = XEN_VCPUAFFINITY_HARD;
    op.u.vcpuaffinity.cpumap_hard.nr_bits = 64;
    set_xen_guest_handle(op.u.vcpuaffinity.cpumap_hard.bitmap, (uint8_t *)&cpus);
    return domctl(XEN_DOMCTL_setvcpuaffinity, domid);
}

static long share(uint16_t domid, uint16_t weight, uint16_t cap)
{
    memset(&op, 0, sizeof(op));
    op.u.scheduler_op.sched_id = XEN_SCHEDULER_CREDIT2;
    op.u.scheduler_op.cmd = XEN_DOMCTL_SCHEDOP_putinfo;
    op.u.scheduler_op.u.credit2.weight = weight;
    op.u.scheduler_op.u.credit2.cap = cap;
    return domctl(XEN_DOMCTL_scheduler_op, domid);
}

static void link_domains(void)
{
    struct xen_boot_domain_wait news = { .timeout = SECOND_NS / 1000 };

    say("signal_first", channel(DOMID_SELF, FIRST, 1));
    say("signal_second", channel(0x7fef, SECOND, 2));
    say("signal_again", channel(DOMID_SELF, FIRST, 1));
    say("channel", channel(FIRST, SECOND, 1));
    say("channel_again", channel(FIRST, SECOND, 1));
    say("grant_to_write", grant(SECOND, REFERENCE, SHARED_GFN, 2, 0));
    say("grant_to_read",
        grant(SECOND, REFERENCE + 2, SHARED_GFN, 2, XEN_BOOT_DOMAIN_GRANT_readonly));
    say("grant_to_itself", grant(FIRST, REFERENCE + 4, SHARED_GFN, 2, 0));
    say("affinity", place(FIRST, 1));
    say("share", share(FIRST, 512, 50));
    say("no_news", own(XEN_BOOT_DOMAIN_wait, &news) + news.event);
}

/* A pool of its own for the second domain, if the host has a second CPU. */
static void make_pool(void)
{
    long answer;

    say("create_pool", pool(XEN_SYSCTL_CPUPOOL_OP_CREATE, POOL, 0));
    while ( (answer = pool(XEN_SYSCTL_CPUPOOL_OP_RMCPU, 0, CPU)) == -16 )
        ;
    say("remove_cpu", answer);
    say("add_cpu", pool(XEN_SYSCTL_CPUPOOL_OP_ADDCPU, POOL, CPU));
    if ( !CPU )
        say("destroy_pool", pool(XEN_SYSCTL_CPUPOOL_OP_DESTROY, POOL, 0));
}

u32 Z_xenZ_domctl(struct Z_xen_instance_t *xen, u32 argument)
{
    struct xen_domctl *it = linear(argument, 0);
    static bool linked;

    if ( it->cmd == XEN_DOMCTL_createdomain && it->domain == FIRST )
        make_pool();
    if ( it->cmd == XEN_DOMCTL_createdomain )
        it->u.createdomain.max_maptrack_frames = 1;
    if ( it->cmd == XEN_DOMCTL_createdomain && it->domain == SECOND )
        it->u.createdomain.cpupool_id = CPU ? POOL : 0;
    if ( it->cmd == XEN_DOMCTL_unpausedomain && !linked )
    {
        linked = true;
        link_domains();
    }
    return real_domctl(xen, argument);
}

u32 Z_xenZ_bootDomainOp(struct Z_xen_instance_t *xen, u32 command, u32 argument)
{
    struct xen_boot_domain_wait news = { .timeout = 0 };
    unsigned int told = 0, slept = 0;

    if ( command != XEN_BOOT_DOMAIN_exit || denied ||
         ((const struct xen_boot_domain_exit *)linear(argument, 0))->status )
        return real_boot_domain_op(xen, command, argument);
    while ( told < NEWS )
    {
        news.timeout = 100 * SECOND_NS;
        if ( own(XEN_BOOT_DOMAIN_wait, &news) )
            crash();
        if ( news.event == XEN_BOOT_DOMAIN_EVENT_none )
        {
            slept++;
            continue;
        }
        told++;
        add_text("linking: news ");
        add_number(news.domid);
        add_character(' ');
        add_number(news.event);
        add_character(' ');
        add_number(news.reason);
        end_line();
    }
    say("slept", slept);
    news.timeout = SECOND_NS;
    say("no_more_news", own(XEN_BOOT_DOMAIN_wait, &news) + news.event);
    return real_boot_domain_op(xen, command, argument);
}
