/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Domains that do nothing but hold memory, so that the host has as many free pages as a case
 * says; and counting the host's free pages by giving them all to one. Part of batch.c.
 */
#include <public/memory.h>

/* Holds what no case may have; holds what this case may not have. */
#define BALLAST      0x7000U
#define CASE_BALLAST 0x7001U
#define GFNS         512

#define SETTLING_LINES 4

static uint64_t gfns[GFNS];

static long domctl_of(uint32_t command, uint16_t domid, struct xen_domctl *op)
{
    op->cmd = command;
    op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    op->domain = domid;
    return hypercall(__HYPERVISOR_domctl, (unsigned long)op, 0, 0);
}

/* A domain that does nothing but hold memory. */
static void create_ballast(uint16_t domid, uint64_t pool_pages)
{
    struct xen_domctl op = { 0 };
    long rc;

    op.u.createdomain = (struct xen_domctl_createdomain) {
        .flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap,
        .max_vcpus = 1,
        .max_evtchn_port = 127,
        .max_grant_frames = 1,
        .grant_opts = XEN_DOMCTL_GRANT_version(1),
        .arch = PLAIN_ARCH,
    };
    rc = domctl_of(XEN_DOMCTL_createdomain, domid, &op);
    op.u.paging_mempool.size = pool_pages * PAGE_SIZE;
    rc = rc ?: domctl_of(XEN_DOMCTL_set_paging_mempool_size, domid, &op);
    op.u.max_mem.max_memkb = 1UL << 40;
    rc = rc ?: domctl_of(XEN_DOMCTL_max_mem, domid, &op);
    if ( rc )
    {
        write_text("batch: no ballast\n");
        crash();
    }
}

static void destroy(uint16_t domid)
{
    struct xen_domctl op = { 0 };

    domctl_of(XEN_DOMCTL_destroydomain, domid, &op);
    /* A line of its log makes Xen do what it has put off: free the domain's own structures. */
    for ( unsigned int i = 0; i < SETTLING_LINES; i++ )
        write_text("\n");
}

/* Gives a ballast up to `most` pages from gfn `first`; returns how many Xen had for it. */
static uint64_t load_ballast(uint16_t domid, uint64_t first, uint64_t most, unsigned int order)
{
    uint64_t pages = 0;

    for ( ;; )
    {
        uint64_t want = (most - pages) >> order;
        struct xen_memory_reservation reservation = {
            .nr_extents = want < GFNS ? want : GFNS,
            .extent_order = order,
            .domid = domid,
        };
        long done;

        for ( unsigned int i = 0; i < reservation.nr_extents; i++ )
            gfns[i] = first + pages + ((uint64_t)i << order);
        set_xen_guest_handle(reservation.extent_start, gfns);
        done = hypercall(__HYPERVISOR_memory_op, XENMEM_populate_physmap,
                         (unsigned long)&reservation, 0);
        if ( done > 0 )
            pages += (uint64_t)done << order;
        if ( done < GFNS )
            break;
    }
    if ( order )
        pages += load_ballast(domid, first + pages, most - pages, 0);
    return pages;
}

/* Takes all of the host's memory but `room` pages; returns what a case's ballast can have. */
static uint64_t take_memory(uint64_t room)
{
    uint64_t all;

    create_ballast(BALLAST, 8192);
    all = load_ballast(BALLAST, 0, ~0U, 9);
    destroy(BALLAST);
    create_ballast(BALLAST, 8192);
    load_ballast(BALLAST, 0, all - room, 9);

    create_ballast(CASE_BALLAST, 1024);
    all = load_ballast(CASE_BALLAST, 0, ~0U, 0);
    destroy(CASE_BALLAST);
    return all;
}
