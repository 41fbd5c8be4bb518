/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A control domain that creates a domain and gives it all memory that there is, says in Xen's log
 * how many pages that was, "hoard: pages N", and crashes. What it has made stays.
 */
#include <stdint.h>

#include "../print.h"
#include "given.h"

#include <public/domctl.h>
#include <public/memory.h>
#include <public/sched.h>

#define HOARDER     1000
#define POOL_BYTES  0x400000
#define MAX_KIB     0x40000000UL
#define LARGE_ORDER 9
#ifdef GUEST_RAM
#define FIRST_FRAME (GUEST_RAM >> 12)
#define DEVICES     0
#else
#define FIRST_FRAME 0
#define DEVICES     XEN_X86_EMU_LAPIC
#endif

static struct xen_domctl op = {
    .interface_version = XEN_DOMCTL_INTERFACE_VERSION, .domain = HOARDER,
};

static void domctl(const char *name, uint32_t command)
{
    long answer;

    op.cmd = command;
    answer = hypercall(__HYPERVISOR_domctl, (unsigned long)&op, 0, 0);
    if ( !answer )
        return;
    print("hoard: ");
    print(name);
    print_number(" -", -answer);
    print("\n");
}

static void create(void)
{
    op.u.createdomain = (struct xen_domctl_createdomain) {
        .flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap, .max_vcpus = 1, .max_evtchn_port = 127,
        .max_grant_frames = 1, .grant_opts = XEN_DOMCTL_GRANT_version(1),
    };
    *(uint32_t *)&op.u.createdomain.arch = DEVICES;
    domctl("createdomain", XEN_DOMCTL_createdomain);
    op.u.max_vcpus.max = 1;
    domctl("max_vcpus", XEN_DOMCTL_max_vcpus);
    op.u.paging_mempool.size = POOL_BYTES;
    domctl("set_paging_mempool_size", XEN_DOMCTL_set_paging_mempool_size);
    op.u.max_mem.max_memkb = MAX_KIB;
    domctl("max_mem", XEN_DOMCTL_max_mem);
}

/* Pages that it got, from `frame` on, in extents of this order. */
static uint64_t fill(xen_pfn_t frame, unsigned int order)
{
    uint64_t pages = 0;

    for ( ;; )
    {
        xen_pfn_t extent = frame + pages;
        struct xen_memory_reservation some = {
            .nr_extents = 1, .extent_order = order, .domid = HOARDER,
        };

        set_xen_guest_handle(some.extent_start, &extent);
        if ( hypercall(__HYPERVISOR_memory_op, XENMEM_populate_physmap, (unsigned long)&some,
                       0) != 1 )
            return pages;
        pages += 1UL << order;
    }
}

void guest(const struct given *given)
{
    struct sched_shutdown crash = { .reason = SHUTDOWN_crash };
    uint64_t pages;

    prepare_hypercalls();
    create();
    pages = fill(FIRST_FRAME, LARGE_ORDER);
    pages += fill(FIRST_FRAME + pages, 0);
    print_number("hoard: pages ", pages);
    print("\n");
    hypercall(__HYPERVISOR_sched_op, SCHEDOP_shutdown, (unsigned long)&crash, 0);
}
