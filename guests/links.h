/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a kernel uses its domain's links to others, of which its command line tells by words
 * "domb.link.NAME=…" (docs/links.md). This takes Xen's public headers and hypercall(number,
 * argument, argument, argument), page tables that map all that is named here, and nothing else.
 */
#include <public/event_channel.h>
#include <public/grant_table.h>
#include <public/memory.h>
#include <public/sched.h>
#include <public/xen.h>

#define LINK_WORD "domb.link."
/* Where the domain has no memory: Xen puts the page there in which it notes events. */
#define LINK_EVENTS_FRAME 0x90000UL

/* How a link's word begins, and the numbers behind that. */
enum link_kind {
    LINK_OPEN, /* The domain that may bind, own port. */
    LINK_BIND, /* The domain to bind to, its port. */
    LINK_OWN,  /* First own frame, how many, first reference to itself, own domid. */
    LINK_MAP,  /* The domain whose memory it is, its first reference, how many. */
};

struct link {
    enum link_kind kind;
    unsigned long numbers[4];
    /* Of memory. */
    int writes;
};

/* The rest of a text that begins with another one; 0: it does not. */
static const char *link_after(const char *text, const char *other)
{
    while ( *other )
        if ( *text++ != *other++ )
            return 0;
    return text;
}

/* Reads what stands behind "NAME="; 0: it is no link. */
static int read_link(const char *value, struct link *link)
{
    static const char *const kinds[] = { "open:", "bind:", "own:", "map:" };
    const char *rest = 0;

    for ( link->kind = LINK_OPEN; !(rest = link_after(value, kinds[link->kind])); link->kind++ )
        if ( link->kind == LINK_MAP )
            return 0;
    for ( unsigned int i = 0; i < 4 && *rest >= '0' && *rest <= '9'; i++ )
    {
        for ( link->numbers[i] = 0; *rest >= '0' && *rest <= '9'; rest++ )
            link->numbers[i] = link->numbers[i] * 10 + (*rest - '0');
        rest += *rest == ':';
    }
    link->writes = link->kind == LINK_OWN || link_after(rest, "write");
    return 1;
}

/* Finds a link by its name; 0: there is none. */
static int find_link(const char *command_line, const char *name, struct link *link)
{
    const char *text = command_line, *rest;

    for ( ; *text; text++ )
        if ( (text == command_line || text[-1] == ' ') && (rest = link_after(text, LINK_WORD)) &&
             (rest = link_after(rest, name)) && *rest == '=' )
            return read_link(rest + 1, link);
    return 0;
}

static volatile struct shared_info *link_events;

/* Makes a domain's events visible to it. */
static long prepare_events(void)
{
    struct xen_add_to_physmap op = {
        .domid = DOMID_SELF, .space = XENMAPSPACE_shared_info, .gpfn = LINK_EVENTS_FRAME,
    };
    long answer = hypercall(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, (unsigned long)&op, 0);

    if ( !answer )
        link_events = (void *)(LINK_EVENTS_FRAME << 12);
    return answer;
}

/*
 * The own port of a channel: of one that this domain opens it is known, to another one it binds.
 * -ESRCH: the other domain has not started yet.
 */
static long link_port(const struct link *link, evtchn_port_t *port)
{
    struct evtchn_bind_interdomain op = {
        .remote_dom = link->numbers[0], .remote_port = link->numbers[1],
    };
    long answer = 0;

    if ( link->kind == LINK_BIND )
        answer = hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_interdomain,
                           (unsigned long)&op, 0);
    *port = link->kind == LINK_BIND ? op.local_port : link->numbers[1];
    return answer;
}

/* Wakes the other domain. What was written before is there when it looks. */
static long notify(evtchn_port_t port)
{
    struct evtchn_send op = { .port = port };

    __sync_synchronize();
    return hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_send, (unsigned long)&op, 0);
}

/*
 * Sleeps until the other domain has notified this one, also if it did before. The first event of a
 * port that was bound is Xen's own: something may have come before.
 */
static void await_event(evtchn_port_t port)
{
    struct sched_poll poll = { .nr_ports = 1 };
    unsigned long bit = 1UL << port % 64;
    volatile xen_ulong_t *pending = &link_events->evtchn_pending[port / 64];

    set_xen_guest_handle(poll.ports, &port);
    while ( !(__atomic_fetch_and(pending, ~bit, __ATOMIC_SEQ_CST) & bit) )
        hypercall(__HYPERVISOR_sched_op, SCHEDOP_poll, (unsigned long)&poll, 0);
}

/*
 * Puts a page of another domain's memory at an address where this one has none. An answer above 0 is
 * a failed hypercall's, one below it is a GNTST_ status; GNTST_bad_domain: it has not started yet.
 */
static long map_page(const struct link *link, unsigned int page, unsigned long address)
{
    struct gnttab_map_grant_ref op = {
        .host_addr = address, .flags = GNTMAP_host_map | (link->writes ? 0 : GNTMAP_readonly),
        .dom = link->numbers[0], .ref = link->numbers[1] + page,
    };
    long answer = hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref,
                            (unsigned long)&op, 1);

    return answer ? -answer : op.status;
}
