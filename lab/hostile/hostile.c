/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A boot domain that turns hostile once it has made a launch: around the real code it takes the
 * exit as the signal to attack, and says what Xen answers to each attempt: "hostile: NAME ANSWER".
 * attempts.ts says what each one is and what Xen must answer. Domains 1 and 2 are the launch's.
 */
#define start                start_honest
#define Z_xenZ_bootDomainOp  real_boot_domain_op
#include "machine.c"
#undef start
#undef Z_xenZ_bootDomainOp

#include <public/boot_domain.h>
#include <public/domctl.h>
#include <public/memory.h>
#include <public/sysctl.h>
#include <public/xsm/flask_op.h>

#include "../batch/line.h"
#include "altered.h"

#define STARTED   1U
#define UNDONE    2U
#define MINE      3U
#define OWN_DOMID 0x7fefU
#define UNUSED    99U
#define NOWHERE   0xdead0000000UL

static void say(const char *name, long answer)
{
    add_text("hostile: ");
    add_text(name);
    add_text(answer < 0 ? " -" : " ");
    add_number(answer < 0 ? -answer : answer);
    end_line();
}

static struct xen_domctl op;

static long domctl(uint32_t command, uint16_t domid)
{
    op.cmd = command;
    op.interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    op.domain = domid;
    return any_hypercall(__HYPERVISOR_domctl, (unsigned long)&op, 0, 0);
}

static struct xen_domctl_createdomain *plain(uint32_t flags)
{
    memset(&op, 0, sizeof(op));
    op.u.createdomain = (struct xen_domctl_createdomain) {
        .flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap | flags,
        .max_vcpus = 1,
        .max_evtchn_port = 127,
        .max_grant_frames = 1,
        .grant_opts = XEN_DOMCTL_GRANT_version(1),
        .arch = PLAIN_ARCH,
    };
    return &op.u.createdomain;
}

static long create(uint16_t domid)
{
    return domctl(XEN_DOMCTL_createdomain, domid);
}

static long create_with(uint16_t domid, uint32_t flags)
{
    plain(flags);
    return create(domid);
}

static long fill(unsigned int command, uint16_t domid, uint64_t gfn, uint64_t source)
{
    struct xen_boot_domain_fill it = {
        .domid = domid, .gfn = gfn, .source_gfn = source, .nr_pages = 1,
    };

    return any_hypercall(__HYPERVISOR_boot_domain_op, command, (unsigned long)&it, 0);
}

static long populate(uint16_t domid, uint32_t flags)
{
    uint64_t gfn = 0;
    struct xen_memory_reservation it = { .nr_extents = 1, .domid = domid, .mem_flags = flags };

    set_xen_guest_handle(it.extent_start, &gfn);
    return any_hypercall(__HYPERVISOR_memory_op, XENMEM_populate_physmap, (unsigned long)&it, 0);
}

static long drop(uint32_t privileges, uint32_t interface)
{
    struct xen_boot_domain_drop it = { .privileges = privileges, .interface_version = interface };

    return any_hypercall(__HYPERVISOR_boot_domain_op, XEN_BOOT_DOMAIN_drop, (unsigned long)&it, 0);
}

static void privileges(void)
{
    say("control_again", create_with(MINE, XEN_DOMCTL_CDF_control));
    say("xenstore_dropped", create_with(MINE, XEN_DOMCTL_CDF_xs_domain));
    say("hardware", create_with(MINE, XEN_DOMCTL_CDF_hardware));
    say("unknown_flag", create_with(MINE, 1U << 31));
    say("drop_other_flag", drop(XEN_DOMCTL_CDF_xen_log, XEN_DOMCTL_INTERFACE_VERSION));
    say("drop_other_interface", drop(XEN_DOMCTL_CDF_control, XEN_DOMCTL_INTERFACE_VERSION + 1));
    say("console_first", create_with(MINE, XEN_DOMCTL_CDF_console));
    say("console_again", create_with(MINE + 1, XEN_DOMCTL_CDF_console));
    say("undo_unstarted", domctl(XEN_DOMCTL_destroydomain, MINE));
    say("console_after_undo", create_with(MINE + 1, XEN_DOMCTL_CDF_console));
    say("plain", create_with(MINE, 0));
}

static void creation(void)
{
    say("create_shadow", (plain(0)->flags = XEN_DOMCTL_CDF_hvm, create(UNUSED)));
    say("create_pv", (plain(0)->flags = 0, create(UNUSED)));
    say("create_s3_integrity", create_with(UNUSED, XEN_DOMCTL_CDF_s3_integrity));
    say("create_oos_off", create_with(UNUSED, XEN_DOMCTL_CDF_oos_off));
    say("create_iommu", create_with(UNUSED, XEN_DOMCTL_CDF_iommu));
    say("create_nested", create_with(UNUSED, XEN_DOMCTL_CDF_nested_virt));
    say("create_vpmu", create_with(UNUSED, XEN_DOMCTL_CDF_vpmu));
    say("create_trace", (plain(0)->vmtrace_size = 0x1000, create(UNUSED)));
    say("create_iommu_options", (plain(0)->iommu_opts = 1, create(UNUSED)));
    say("create_cpupool", (plain(0)->cpupool_id = 1, create(UNUSED)));
    say("create_no_vcpus", (plain(0)->max_vcpus = 0, create(UNUSED)));
    say("create_many_vcpus", (plain(0)->max_vcpus = ~0U, create(UNUSED)));
    say("create_grant_version", (plain(0)->grant_opts = 3, create(UNUSED)));
    say("create_taken", create_with(STARTED, 0));
    say("create_own_domid", create_with(OWN_DOMID, 0));
    say("create_reserved", create_with(DOMID_SELF, 0));
}

/* Each operation of a launch on a domain. */
static void on_domain(uint16_t domid, const char *vcpus, const char *pool, const char *limit,
                      const char *context, const char *start, const char *give, const char *copy,
                      const char *clear)
{
    memset(&op, 0, sizeof(op));
    op.u.max_vcpus.max = 1;
    say(vcpus, domctl(XEN_DOMCTL_max_vcpus, domid));
    op.u.paging_mempool.size = 0x200000;
    say(pool, domctl(XEN_DOMCTL_set_paging_mempool_size, domid));
    op.u.max_mem.max_memkb = 1 << 20;
    say(limit, domctl(XEN_DOMCTL_max_mem, domid));
    memset(&op, 0, sizeof(op));
    say(context, domctl(XEN_DOMCTL_setcontext, domid));
    say(start, domctl(XEN_DOMCTL_unpausedomain, domid));
    say(give, populate(domid, 0));
    say(copy, fill(XEN_BOOT_DOMAIN_copy, domid, 0, 0));
    say(clear, fill(XEN_BOOT_DOMAIN_clear, domid, 0, 0));
}

#define ON_DOMAIN(domid, name) \
    on_domain(domid, name "_vcpus", name "_pool", name "_limit", name "_context", \
              name "_start", name "_populate", name "_copy", name "_clear")

static void seal(void)
{
    ON_DOMAIN(STARTED, "started");
    ON_DOMAIN(OWN_DOMID, "self");
    ON_DOMAIN(DOMID_SELF, "domid_self");
    ON_DOMAIN(DOMID_XEN, "domid_xen");
    ON_DOMAIN(DOMID_IO, "domid_io");
    ON_DOMAIN(UNUSED, "unused");
    say("self_destroy", domctl(XEN_DOMCTL_destroydomain, OWN_DOMID));

    say("populate_flags", populate(MINE, XENMEMF_exact_node(0)));
    say("copy_nowhere", fill(XEN_BOOT_DOMAIN_copy, MINE, NOWHERE, 0));
    say("copy_bad_pointer",
        any_hypercall(__HYPERVISOR_boot_domain_op, XEN_BOOT_DOMAIN_copy, NOWHERE, 0));
    say("domctl_bad_pointer", any_hypercall(__HYPERVISOR_domctl, NOWHERE, 0, 0));
    say("undo_started", domctl(XEN_DOMCTL_destroydomain, UNDONE));
}

#include "links.h"

static bool is_launch_domctl(uint32_t command)
{
    switch ( command )
    {
    case XEN_DOMCTL_createdomain: case XEN_DOMCTL_max_vcpus:
    case XEN_DOMCTL_set_paging_mempool_size: case XEN_DOMCTL_max_mem:
    case XEN_DOMCTL_setcontext: case XEN_DOMCTL_unpausedomain:
    case XEN_DOMCTL_destroydomain: case XEN_DOMCTL_setvcpuaffinity:
    case XEN_DOMCTL_scheduler_op:
        return true;
    default:
        return false;
    }
}

/* Whether a launch may make it, whatever its arguments. */
static bool is_launch_call(unsigned long number)
{
    return number == __HYPERVISOR_domctl || number == __HYPERVISOR_memory_op ||
           number == __HYPERVISOR_console_io || number == __HYPERVISOR_xsm_op ||
           number == __HYPERVISOR_sysctl || number == __HYPERVISOR_boot_domain_op;
}

static void all_numbers(void)
{
    long hypercalls = 0, domctls = 0, sysctls = 0, pools = 0, memory = 0, console = 0, labels = 0, own = 0;
    static uint64_t argument[64];

    for ( unsigned long number = 0; number < 256; number++ )
        if ( !is_launch_call(number) )
        {
            hypercalls += any_hypercall(number, (unsigned long)argument, 0, 0) != -1;
            hypercalls += any_hypercall(number | 0x80000000U, 0, 0, 0) != -1;
            hypercalls += any_hypercall(number | 1UL << 63, ~0UL, ~0UL, ~0UL) != -1;
        }
    for ( uint32_t command = 0; command < 256; command++ )
        for ( uint16_t domid = STARTED; !is_launch_domctl(command) && domid <= MINE; domid++ )
        {
            memset(&op, 0, sizeof(op));
            domctls += domid != UNDONE && domctl(command, domid) != -1;
        }
    for ( uint32_t command = 0; command < 64; command++ )
    {
        sysctls += command != XEN_SYSCTL_cpupool_op && sysctl(command, 0) != -1;
        pools += sysctl(XEN_SYSCTL_cpupool_op, command) != -1;
    }
    for ( unsigned long command = 0; command < 64; command++ )
    {
        memset(argument, 0, sizeof(argument));
        if ( command != XENMEM_populate_physmap )
            memory += any_hypercall(__HYPERVISOR_memory_op, command, (unsigned long)argument,
                                    0) != -1;
        if ( command != CONSOLEIO_write )
            console += any_hypercall(__HYPERVISOR_console_io, command, 1,
                                     (unsigned long)argument) != -1;
        argument[0] = command | (uint64_t)XEN_FLASK_INTERFACE_VERSION << 32;
        labels += any_hypercall(__HYPERVISOR_xsm_op, (unsigned long)argument, 0, 0) != -38;
        memset(argument, 0, sizeof(argument));
        if ( command > XEN_BOOT_DOMAIN_grant )
            own += any_hypercall(__HYPERVISOR_boot_domain_op, command, (unsigned long)argument,
                                 0) != -38;
    }
    say("other_hypercalls", hypercalls);
    say("other_domctls", domctls);
    say("other_sysctls", sysctls);
    say("other_pool_ops", pools);
    say("other_memory_ops", memory);
    say("other_console_ops", console);
    say("label_ops", labels);
    say("other_boot_domain_ops", own);
    say("receipt", any_hypercall(__HYPERVISOR_boot_domain_op, XEN_BOOT_DOMAIN_receipt,
                                 (unsigned long)argument, 0));
    say("policy", any_hypercall(__HYPERVISOR_boot_domain_op, XEN_BOOT_DOMAIN_policy,
                                (unsigned long)argument, 0));
}

/* xorshift64: the same arguments each time. */
static uint64_t wild(void)
{
    static uint64_t state = 0x646f6d62646f6d62UL;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static uint64_t argument_of_some_kind(void *buffer)
{
    switch ( wild() % 4 )
    {
    case 0: return wild() % 16;
    case 1: return wild();
    case 2: return wild() & 0xffffffff;
    default: return (unsigned long)buffer;
    }
}

static void wild_calls(void)
{
    static uint64_t buffer[64];
    long refused = 0, wrong = 0, allowed = 0;

    for ( unsigned int call = 0; call < 10000; call++ )
    {
        unsigned long number = wild() % 4 ? wild() % 64 : wild();
        uint64_t a, b, c;

        for ( unsigned int i = 0; i < 64; i++ )
            buffer[i] = wild() % 4 ? wild() % 8 : wild();
        a = argument_of_some_kind(buffer);
        b = argument_of_some_kind(buffer);
        c = argument_of_some_kind(buffer);
        if ( wild() % 4 == 0 )
        {
            struct xen_domctl *it = (void *)buffer;

            /* As near to a launch as can be: the right version, and domains that there are. */
            number = __HYPERVISOR_domctl;
            it->cmd = wild() % 96;
            it->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
            it->domain = wild() % 8;
            /* It may undo what it has started, but that is to be seen to run on. */
            if ( it->cmd == XEN_DOMCTL_destroydomain && it->domain == STARTED )
                it->domain = MINE;
            a = (unsigned long)buffer;
        }
        else if ( (uint32_t)number == __HYPERVISOR_domctl )
            a = NOWHERE;
        /* Neither to end nor to sleep. */
        if ( (uint32_t)number == __HYPERVISOR_boot_domain_op &&
             ((uint32_t)a == XEN_BOOT_DOMAIN_exit || (uint32_t)a == XEN_BOOT_DOMAIN_wait) )
            b = NOWHERE;
        if ( (uint32_t)number == __HYPERVISOR_console_io && !(uint32_t)a )
            c = NOWHERE;
        if ( is_launch_call(number & 0xffffffff) )
        {
            any_hypercall(number, a, b, c);
            allowed++;
        }
        else if ( any_hypercall(number, a, b, c) == -1 )
            refused++;
        else
            wrong++;
    }
    say("wild_calls", refused + allowed + wrong);
    say("wild_answered", wrong);
}

#include "hostile.h"

/* The exit that the launch ends with: from here on all is hostile. */
u32 Z_xenZ_bootDomainOp(struct Z_xen_instance_t *xen, u32 command, u32 argument)
{
    struct xen_boot_domain_exit end = {
        .receipt_bytes = XEN_BOOT_DOMAIN_RECEIPT_BYTES + 1,
    };
    long answer;

    if ( command != XEN_BOOT_DOMAIN_exit )
        return real_boot_domain_op(xen, command, argument);
    if ( QUIET )
    {
        domctl(XEN_DOMCTL_destroydomain, UNDONE);
        return real_boot_domain_op(xen, command, argument);
    }
    if ( ENDING == 1 )
        __builtin_trap();
    for ( ; ENDING == 2; )
        asm volatile ("");
    end_by_hardware(ENDING);
    privileges();
    creation();
    kinds();
    seal();
    links();
    reserve();
    processors();
    news();
    contexts();
    all_numbers();
    hardware();
    wild_calls();
    say("exit_bad_pointer",
        any_hypercall(__HYPERVISOR_boot_domain_op, XEN_BOOT_DOMAIN_exit, NOWHERE, 0));
    say("exit_large_receipt", any_hypercall(__HYPERVISOR_boot_domain_op, XEN_BOOT_DOMAIN_exit,
                                            (unsigned long)&end, 0));
    answer = real_boot_domain_op(xen, command, argument);
    say("after_exit", create_with(UNUSED, 0));
    real_boot_domain_op(xen, command, argument);
    return answer;
}

void start(START_PARAMETERS)
{
    start_honest(START_ARGUMENTS);
}
