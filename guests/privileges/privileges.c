/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Says in Xen's log what Xen lets this domain do, one line for each attempt: "may: NAME DOMID
 * ANSWER", Xen's answer as it is, 0 or an errno. Attempts harm nobody. With the command line
 * "until=DOMID" it tries again and again until that domain exists.
 */
#include <stdint.h>

#include "../print.h"
#include "given.h"

#include <public/boot_domain.h>
#include <public/domctl.h>
#include <public/event_channel.h>
#include <public/sysctl.h>

#define BOOT_DOMID 0x7fef

static void print_decimal(unsigned long value)
{
    if ( value >= 10 )
        print_decimal(value / 10);
    print_character('0' + value % 10);
}

static void say(const char *name, unsigned int domid, long answer)
{
    print("may: ");
    print(name);
    print_character(' ');
    print_decimal(domid);
    print(answer < 0 ? " -" : " ");
    print_decimal(answer < 0 ? -answer : answer);
    print_character('\n');
}

static long domctl(uint32_t command, unsigned int domid)
{
    struct xen_domctl op = {
        .cmd = command, .interface_version = XEN_DOMCTL_INTERFACE_VERSION, .domain = domid,
    };
    long answer = hypercall(__HYPERVISOR_domctl, (unsigned long)&op, 0, 0);

    /* For a domid that nobody has this tells of the next one. */
    if ( command == XEN_DOMCTL_getdomaininfo && !answer && op.domain != domid )
        return -3;
    return answer;
}

static long make_event_channel(unsigned int domid)
{
    struct evtchn_alloc_unbound op = { .dom = domid, .remote_dom = DOMID_SELF };
    long answer = hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound,
                            (unsigned long)&op, 0);

    return answer;
}

static void try_domain(unsigned int domid)
{
    long paused = domctl(XEN_DOMCTL_pausedomain, domid);

    say("getdomaininfo", domid, domctl(XEN_DOMCTL_getdomaininfo, domid));
    say("pausedomain", domid, paused);
    if ( !paused )
        domctl(XEN_DOMCTL_unpausedomain, domid);
    say("alloc_unbound", domid, make_event_channel(domid));
}

static void try_host(void)
{
    struct xen_sysctl op = {
        .cmd = XEN_SYSCTL_physinfo, .interface_version = XEN_SYSCTL_INTERFACE_VERSION,
    };
    struct xen_boot_domain_exit end = { 0 };
    struct xen_boot_domain_part part = { .bytes = 0 };
    char typed;

    say("sysctl", 0, hypercall(__HYPERVISOR_sysctl, (unsigned long)&op, 0, 0));
    say("console_read", 0,
        hypercall(__HYPERVISOR_console_io, CONSOLEIO_read, 1, (unsigned long)&typed));
    say("receipt", 0,
        hypercall(__HYPERVISOR_boot_domain_op, XEN_BOOT_DOMAIN_receipt, (unsigned long)&part, 0));
    say("boot_domain_op", 0,
        hypercall(__HYPERVISOR_boot_domain_op, XEN_BOOT_DOMAIN_exit, (unsigned long)&end, 0));
}

/* The domid behind "until=", 0 without. */
static unsigned int awaited(const char *text)
{
    unsigned int domid = 0;

    while ( *text && *text != '=' )
        text++;
    while ( *text && *++text )
        domid = domid * 10 + (*text - '0');
    return domid;
}

void guest(const struct given *given)
{
    unsigned int domid, until = awaited(command_line(given));
    unsigned long tries = 0;

    prepare_hypercalls();
    if ( until )
    {
        while ( domctl(XEN_DOMCTL_pausedomain, until) )
            tries++;
        domctl(XEN_DOMCTL_unpausedomain, until);
        say("see", until, tries);
    }
    try_host();
    for ( domid = 0; domid < 4; domid++ )
        try_domain(domid);
    try_domain(BOOT_DOMID);
    print("domb: domain is up\n");
}
