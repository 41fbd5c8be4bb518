/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attempts with what a launch with order and links makes: channels and grants, what is reserved for
 * a second launch, CPUs, news. MINE and the one after it are not started. Part of hostile.c.
 */
#define OTHER (MINE + 1)

static long own(unsigned int command, unsigned long it)
{
    return any_hypercall(__HYPERVISOR_boot_domain_op, command, it, 0);
}

static long channel(uint16_t domid, uint16_t remote, uint32_t number)
{
    struct xen_boot_domain_channel it = { .domid = domid, .remote = remote, .port = number };

    return own(XEN_BOOT_DOMAIN_channel, (unsigned long)&it);
}

static long grant_with(uint16_t domid, uint16_t remote, uint32_t ref, uint64_t gfn, uint32_t nr,
                       uint32_t flags)
{
    struct xen_boot_domain_grant it = {
        .domid = domid, .remote = remote, .ref = ref, .gfn = gfn, .nr = nr, .flags = flags,
    };

    return own(XEN_BOOT_DOMAIN_grant, (unsigned long)&it);
}

static long grant(uint16_t domid, uint16_t remote)
{
    return grant_with(domid, remote, 8, 0, 1, 0);
}

static void links(void)
{
    say("channel_of_started", channel(STARTED, MINE, 1));
    say("channel_to_started", channel(MINE, STARTED, 1));
    say("channel_to_itself", channel(MINE, OWN_DOMID, 1));
    say("channel_of_unused", channel(UNUSED, MINE, 1));
    say("channel_to_unused", channel(MINE, UNUSED, 1));
    say("channel_of_xen", channel(DOMID_XEN, MINE, 1));
    say("channel_port_0", channel(MINE, OTHER, 0));
    say("channel_port_beyond", channel(MINE, OTHER, 128));
    say("channel_bad_pointer", own(XEN_BOOT_DOMAIN_channel, NOWHERE));
    say("channel", channel(MINE, OTHER, 127));
    say("channel_again", channel(MINE, OTHER, 127));
    say("signal_of_started", channel(DOMID_SELF, STARTED, 9));
    say("signal_of_unused", channel(DOMID_SELF, UNUSED, 9));
    say("signal", channel(DOMID_SELF, MINE, 9));
    say("signal_again", channel(OWN_DOMID, OTHER, 9));
    say("grant_of_started", grant(STARTED, MINE));
    say("grant_to_started", grant(MINE, STARTED));
    say("grant_of_itself", grant(OWN_DOMID, MINE));
    say("grant_to_itself", grant(MINE, OWN_DOMID));
    say("grant_of_unused", grant(UNUSED, MINE));
    say("grant_beyond_table", grant_with(MINE, OTHER, 512, 0, 1, 0));
    say("grant_entries_wrap", grant_with(MINE, OTHER, 2, 0, ~0U, 0));
    say("grant_frames_wrap", grant_with(MINE, OTHER, 8, ~0UL, 2, 0));
    say("grant_unknown_flag", grant_with(MINE, OTHER, 8, 0, 1, 2));
    say("grant_bad_pointer", own(XEN_BOOT_DOMAIN_grant, NOWHERE));
    say("grant", grant_with(MINE, OTHER, 0, 0xfffff000, 512, 0));
    say("grant_again", grant(MINE, MINE));
    say("start_unbuilt", domctl(XEN_DOMCTL_unpausedomain, MINE));
}

static long reserve_with(uint32_t privileges, uint64_t pages)
{
    struct xen_boot_domain_drop it = {
        .interface_version = XEN_DOMCTL_INTERFACE_VERSION,
        .reserved = privileges, .reserved_pages = pages,
    };

    return own(XEN_BOOT_DOMAIN_drop, (unsigned long)&it);
}

static void reserve(void)
{
    say("reserve_late", reserve_with(XEN_DOMCTL_CDF_control, 0));
    say("reserve_other_flag", reserve_with(XEN_DOMCTL_CDF_xen_log, 0));
    say("claim_too_much", reserve_with(0, 1UL << 28));
    say("claim_wraps", reserve_with(0, ~0UL));
    say("claim", reserve_with(0, 1));
    say("claim_nothing", reserve_with(0, 0));
}

static long pin(uint16_t domid, uint32_t vcpu, uint32_t flags, uint32_t bits)
{
    static uint8_t map[8] = { 1 };

    memset(&op, 0, sizeof(op));
    op.u.vcpuaffinity.vcpu = vcpu;
    op.u.vcpuaffinity.flags = flags;
    op.u.vcpuaffinity.cpumap_hard.nr_bits = bits;
    op.u.vcpuaffinity.cpumap_soft.nr_bits = bits;
    set_xen_guest_handle(op.u.vcpuaffinity.cpumap_hard.bitmap, map);
    set_xen_guest_handle(op.u.vcpuaffinity.cpumap_soft.bitmap, map);
    return domctl(XEN_DOMCTL_setvcpuaffinity, domid);
}

static long share(uint16_t domid, uint32_t scheduler, uint32_t command)
{
    memset(&op, 0, sizeof(op));
    op.u.scheduler_op.sched_id = scheduler;
    op.u.scheduler_op.cmd = command;
    op.u.scheduler_op.u.credit2.weight = 1;
    return domctl(XEN_DOMCTL_scheduler_op, domid);
}

static struct xen_sysctl control;

/* An operation on CPU pools, or any other sysctl. */
static long sysctl(uint32_t command, uint32_t pool)
{
    memset(&control, 0, sizeof(control));
    control.cmd = command;
    control.interface_version = XEN_SYSCTL_INTERFACE_VERSION;
    control.u.cpupool_op.op = pool;
    control.u.cpupool_op.sched_id = XEN_SCHEDULER_NULL;
    return any_hypercall(__HYPERVISOR_sysctl, (unsigned long)&control, 0, 0);
}

static void processors(void)
{
    const uint32_t hard = XEN_VCPUAFFINITY_HARD, put = XEN_DOMCTL_SCHEDOP_putinfo;

    say("affinity_of_started", pin(STARTED, 0, hard, 64));
    say("affinity_of_itself", pin(OWN_DOMID, 0, hard, 64));
    say("affinity_soft", pin(MINE, 0, hard | XEN_VCPUAFFINITY_SOFT, 64));
    say("affinity_forced", pin(MINE, 0, hard | XEN_VCPUAFFINITY_FORCE, 64));
    say("affinity_large_map", pin(MINE, 0, hard, ~0U));
    say("affinity_no_vcpu", pin(MINE, 0, hard, 64));
    say("affinity_many_vcpus", pin(MINE, 1, hard, 64));
    say("share_of_started", share(STARTED, XEN_SCHEDULER_CREDIT2, put));
    say("share_of_itself", share(OWN_DOMID, XEN_SCHEDULER_CREDIT2, put));
    say("share_read", share(MINE, XEN_SCHEDULER_CREDIT2, XEN_DOMCTL_SCHEDOP_getinfo));
    say("share_of_vcpus", share(MINE, XEN_SCHEDULER_CREDIT2, XEN_DOMCTL_SCHEDOP_putvcpuinfo));
    say("share_real_time", share(MINE, XEN_SCHEDULER_RTDS, put));
    say("share_other_scheduler", share(MINE, XEN_SCHEDULER_CREDIT, put));
    say("pool_create", sysctl(XEN_SYSCTL_cpupool_op, XEN_SYSCTL_CPUPOOL_OP_CREATE));
    say("pool_destroy", sysctl(XEN_SYSCTL_cpupool_op, XEN_SYSCTL_CPUPOOL_OP_DESTROY));
    say("pool_add_cpu", sysctl(XEN_SYSCTL_cpupool_op, XEN_SYSCTL_CPUPOOL_OP_ADDCPU));
    say("pool_remove_cpu", sysctl(XEN_SYSCTL_cpupool_op, XEN_SYSCTL_CPUPOOL_OP_RMCPU));
    control.interface_version++;
    say("sysctl_other_version",
        any_hypercall(__HYPERVISOR_sysctl, (unsigned long)&control, 0, 0));
    say("sysctl_bad_pointer", any_hypercall(__HYPERVISOR_sysctl, NOWHERE, 0, 0));
}

static uint32_t hear(uint64_t timeout)
{
    struct xen_boot_domain_wait it = { .timeout = timeout };

    return own(XEN_BOOT_DOMAIN_wait, (unsigned long)&it) || it.event;
}

static void news(void)
{
    struct xen_boot_domain_wait it = { .pad = 1 };
    uint32_t heard = 0;

    say("wait_reserved", own(XEN_BOOT_DOMAIN_wait, (unsigned long)&it));
    say("wait_bad_pointer", own(XEN_BOOT_DOMAIN_wait, NOWHERE));
    for ( unsigned int i = 0; i < 10000; i++ )
        heard += hear(0);
    say("wait_in_vain", heard);
    for ( unsigned int i = heard = 0; i < 1000; i++ )
        heard += hear(1);
    say("wait_shortly", heard);
    say("wait_for_ages", hear(1UL << 63));
}
