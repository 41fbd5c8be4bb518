/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Uses the links that its command line tells of, in that order, and says in Xen's log what came of
 * each: "linked: NAME WHAT ANSWER". Then it says that it is ready, and does what "then=" says:
 * "poweroff", "crash", "flood", which signals again and again, or nothing. Answers are Xen's own;
 * what is read from shared memory is a number.
 */
#include <stdint.h>

#include "../print.h"
#include "given.h"
#include "sleep.h"

#include <public/event_channel.h>
#include <public/grant_table.h>
#include <public/memory.h>
#include <public/sched.h>

#define ESRCH      3
#define PAUSE_NS   1000000UL
#define FLOOD      100000
/* Where nothing is: Xen maps what others grant there. */
#define MAPPED     0x80000000UL
#define SHARED_GFN 0x90000UL
/* What owners and others write into shared memory. */
#define FROM_OWNER 0x6f776eUL
#define FROM_OTHER 0x6f7468UL

static void say(const char *name, const char *what, long answer)
{
    print("linked: ");
    for ( ; *name && *name != '='; name++ )
        print_character(*name);
    print_character(' ');
    print(what);
    print_number(answer < 0 ? " -" : " ", answer < 0 ? -answer : answer);
    print_character('\n');
}

/* Behind a prefix of a text; 0: it has another one. */
static const char *after(const char *text, const char *prefix)
{
    while ( *prefix )
        if ( *text++ != *prefix++ )
            return 0;
    return text;
}

/* The numbers of a text that are separated by colons; 0 where there is none. */
static void read_numbers(const char *text, unsigned long *numbers, unsigned int count)
{
    for ( unsigned int i = 0; i < count; i++ )
    {
        numbers[i] = 0;
        for ( ; *text >= '0' && *text <= '9'; text++ )
            numbers[i] = numbers[i] * 10 + (*text - '0');
        if ( *text == ':' )
            text++;
    }
}

static long event(unsigned int command, void *op)
{
    return hypercall(__HYPERVISOR_event_channel_op, command, (unsigned long)op, 0);
}

/* A domain that has not started is not there. */
static long bind(unsigned int peer, unsigned int port, unsigned int *own)
{
    struct evtchn_bind_interdomain op = { .remote_dom = peer, .remote_port = port };
    long answer;

    while ( (answer = event(EVTCHNOP_bind_interdomain, &op)) == -ESRCH )
        sleep(PAUSE_NS);
    *own = op.local_port;
    return answer;
}

static long notify(unsigned int port)
{
    struct evtchn_send op = { .port = port };

    return event(EVTCHNOP_send, &op);
}

static volatile struct shared_info *shared;

/* Event channels are seen where Xen writes them down. */
static void share_info(void)
{
    struct xen_add_to_physmap op = {
        .domid = DOMID_SELF, .space = XENMAPSPACE_shared_info, .gpfn = SHARED_GFN,
    };

    if ( shared )
        return;
    say("shared-info", "mapped",
        hypercall(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, (unsigned long)&op, 0));
    shared = (void *)(SHARED_GFN << 12);
}

static void await_event(unsigned int port)
{
    share_info();
    while ( !(shared->evtchn_pending[port / 64] >> (port % 64) & 1) )
        sleep(PAUSE_NS);
}

/* Maps one grant; Xen's status, 0: the page is at the address. */
static long map(unsigned long address, unsigned int peer, unsigned int reference,
                unsigned int flags)
{
    struct gnttab_map_grant_ref op = {
        .host_addr = address, .flags = GNTMAP_host_map | flags, .ref = reference, .dom = peer,
    };
    long answer;

    do {
        answer = hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref,
                           (unsigned long)&op, 1);
        if ( op.status == GNTST_bad_domain )
            sleep(PAUSE_NS);
    } while ( !answer && op.status == GNTST_bad_domain );
    return answer ? answer : op.status;
}

static volatile unsigned long *await_number(unsigned long address, unsigned long number)
{
    volatile unsigned long *words = (void *)address;

    while ( *words != number )
        sleep(PAUSE_NS);
    return words;
}

/* The owner's own pages: the first word of each is its own, the second one the others'. */
static void own(const unsigned long *numbers)
{
    for ( unsigned long page = 0; page < numbers[1]; page++ )
        ((volatile unsigned long *)((numbers[0] + page) << 12))[0] = FROM_OWNER + page;
}

static void use(const char *name, const unsigned long *numbers, int writes)
{
    static unsigned long next = MAPPED;
    unsigned int flags = writes ? 0 : GNTMAP_readonly;

    if ( !writes )
        say(name, "map-to-write", map(next, numbers[0], numbers[1], 0));
    for ( unsigned long page = 0; page < numbers[2]; page++, next += 0x1000 )
    {
        long answer = map(next, numbers[0], numbers[1] + page, flags);

        say(name, "map", answer);
        if ( answer )
            continue;
        say(name, "read", await_number(next, FROM_OWNER + page)[0]);
        if ( writes )
            ((volatile unsigned long *)next)[1] = FROM_OTHER + page;
    }
}

static void link(const char *text)
{
    unsigned long numbers[4];
    unsigned int port;
    const char *name = text, *rest;

    while ( *text && *text++ != '=' )
        ;
    if ( (rest = after(text, "open:")) )
    {
        read_numbers(rest, numbers, 2);
        await_event(numbers[1]);
        say(name, "heard", numbers[1]);
        say(name, "answered", notify(numbers[1]));
    }
    if ( (rest = after(text, "bind:")) )
    {
        read_numbers(rest, numbers, 2);
        say(name, "bound", bind(numbers[0], numbers[1], &port));
        share_info();
        /* Binding makes it pending. */
        shared->evtchn_pending[port / 64] = 0;
        say(name, "notified", notify(port));
        await_event(port);
        say(name, "heard", port);
    }
    if ( (rest = after(text, "own:")) )
    {
        read_numbers(rest, numbers, 4);
        own(numbers);
        say(name, "map-own", map(MAPPED + 0x8000000, numbers[3], numbers[2], 0));
    }
    if ( (rest = after(text, "await:")) )
    {
        read_numbers(rest, numbers, 1);
        say(name, "read", await_number((numbers[0] << 12) + 8, FROM_OTHER)[0]);
    }
    if ( (rest = after(text, "map:")) )
    {
        read_numbers(rest, numbers, 3);
        while ( *rest && *rest != ' ' )
            rest++;
        use(name, numbers, rest[-1] == 'e' );
    }
}

static void end(const char *how, unsigned int port)
{
    struct sched_shutdown op = { .reason = SHUTDOWN_poweroff };

    if ( after(how, "flood") )
        for ( unsigned long signal = 0; signal < FLOOD; signal++ )
            notify(port);
    if ( after(how, "crash") )
        op.reason = SHUTDOWN_crash;
    if ( after(how, "crash") || after(how, "poweroff") )
        hypercall(__HYPERVISOR_sched_op, SCHEDOP_shutdown, (unsigned long)&op, 0);
    for ( ;; )
        sleep(1000 * PAUSE_NS);
}

void guest(const struct given *given)
{
    const char *text = command_line(given), *how = "", *rest;
    unsigned long numbers[2];
    unsigned int port = 0;

    prepare_hypercalls();
    for ( ; *text; text++ )
    {
        if ( (rest = after(text, "domb.link.")) )
            link(rest);
        if ( (rest = after(text, "then=")) )
            how = rest;
        if ( (rest = after(text, "domb.ready=")) )
        {
            read_numbers(rest, numbers, 2);
            say("ready", "bound", bind(numbers[0], numbers[1], &port));
            say("ready", "signalled", notify(port));
        }
        while ( text[1] && *text != ' ' )
            text++;
    }
    print("domb: domain is up\n");
    end(how, port);
}
