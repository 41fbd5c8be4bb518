/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Uses the links that its command line tells of, in that order, and says in Xen's log what came of
 * each: "linked: NAME WHAT ANSWER". Words may lack their "domb.", which the compiler alone writes.
 * With "then=trespass" it then writes to memory that it may only read, with "then=watch" it says what
 * has become of its own. Then it says that it is ready, and does what "then=" says: "poweroff",
 * "crash", "flood", which signals again and again, or nothing.
 * Answers are Xen's own; what is read from shared memory is a number.
 */
#include <stdint.h>

#include "../print.h"
#include "given.h"
#include "sleep.h"
#include "../links.h"

#define ESRCH      3
#define PAUSE_NS   1000000UL
#define WATCH_NS   100000000UL
#define FLOOD      100000
/* Where nothing is: Xen maps there what others grant, and what the domain grants to itself. */
#define MAPPED     0x80000000UL
#define MAPPED_OWN 0x88000000UL
/* What owners and others write into shared memory, at the start of each page. */
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

static volatile unsigned long *words_at(unsigned long address)
{
    return (void *)address;
}

/* The memory of its own of which it last heard, and its name. */
static const char *owned;
static unsigned long owned_at;

static void own(const char *name, const struct link *link)
{
    static unsigned long next = MAPPED_OWN;
    const struct link itself = {
        LINK_MAP, { link->numbers[3], link->numbers[2], link->numbers[1] }, 1,
    };

    owned = name;
    owned_at = link->numbers[0] << 12;
    for ( unsigned long page = 0; page < link->numbers[1]; page++ )
        words_at(owned_at + (page << 12))[0] = FROM_OWNER + page;
    say(name, "map-own", map_page(&itself, 0, next));
    say(name, "read-own", words_at(next)[0]);
    next += 0x1000;
}

/* The last page that it may only read. */
static unsigned long read_only;

static void use_memory(const char *name, const struct link *link)
{
    static unsigned long next = MAPPED;
    struct link writable = *link;
    long answer;

    writable.writes = 1;
    while ( (answer = map_page(&writable, 0, next)) == GNTST_bad_domain )
        sleep(PAUSE_NS);
    if ( !link->writes )
        say(name, "map-to-write", answer);
    for ( unsigned long page = 0; page < link->numbers[2]; page++, next += 0x1000 )
    {
        if ( page || !link->writes )
            answer = map_page(link, page, next);
        say(name, "map", answer);
        if ( answer )
            continue;
        while ( words_at(next)[0] != FROM_OWNER + page )
            sleep(PAUSE_NS);
        say(name, "read", words_at(next)[0]);
        if ( link->writes )
            words_at(next)[1] = FROM_OTHER + page;
        else
            read_only = next;
    }
}

/* Each notifies the other once; the one that binds begins. */
static void use_channel(const char *name, const struct link *link)
{
    evtchn_port_t port;
    long answer;

    while ( (answer = link_port(link, &port)) == -ESRCH )
        sleep(PAUSE_NS);
    if ( link->kind == LINK_BIND )
    {
        say(name, "bound", answer);
        if ( answer )
            return;
        await_event(port);
        say(name, "notified", notify(port));
    }
    await_event(port);
    say(name, "heard", port);
    if ( link->kind == LINK_BIND )
        return;
    if ( owned )
        say(owned, "read", words_at(owned_at)[1]);
    say(name, "answered", notify(port));
}

static void use(const char *text)
{
    const char *value = text;
    struct link link;

    while ( *value && *value++ != '=' )
        ;
    if ( !read_link(value, &link) )
        return;
    if ( link.kind == LINK_OWN )
        own(text, &link);
    else if ( link.kind == LINK_MAP )
        use_memory(text, &link);
    else
        use_channel(text, &link);
}

/* Signals the boot domain by the channel that is "DOMID:PORT". */
static evtchn_port_t signal(const char *text)
{
    char value[32] = "bind:";
    struct link link;
    evtchn_port_t port;

    for ( unsigned int i = 5; i < sizeof(value) - 1 && *text && *text != ' '; i++ )
        value[i] = *text++;
    read_link(value, &link);
    say("ready", "bound", link_port(&link, &port));
    say("ready", "signalled", notify(port));
    return port;
}

/* Writes where it may only read: Xen drops that on x86-64; on arm64 the processor tries for ever. */
static void trespass(void)
{
    say("trespass", "writes", FROM_OTHER);
    words_at(read_only)[2] = FROM_OTHER;
    say("trespass", "reads", words_at(read_only)[2]);
}

static void end(const char *how, evtchn_port_t port)
{
    struct sched_shutdown op = { .reason = SHUTDOWN_poweroff };

    if ( link_after(how, "flood") )
        for ( unsigned long signal = 0; signal < FLOOD; signal++ )
            notify(port);
    if ( link_after(how, "crash") )
        op.reason = SHUTDOWN_crash;
    if ( link_after(how, "crash") || link_after(how, "poweroff") )
        hypercall(__HYPERVISOR_sched_op, SCHEDOP_shutdown, (unsigned long)&op, 0);
    for ( ;; )
        sleep(1000 * PAUSE_NS);
}

void guest(const struct given *given)
{
    const char *text = command_line(given), *how = "", *ready = 0, *rest;
    evtchn_port_t port = 0;

    prepare_hypercalls();
    say("events", "prepared", prepare_events());
    for ( ; *text; text++ )
    {
        if ( (rest = link_after(text, "domb.")) )
            text = rest;
        if ( (rest = link_after(text, "link.")) )
            use(rest);
        if ( (rest = link_after(text, "then=")) )
            how = rest;
        if ( (rest = link_after(text, "ready=")) )
            ready = rest;
        while ( text[1] && *text != ' ' )
            text++;
    }
    if ( link_after(how, "trespass") )
        trespass();
    if ( link_after(how, "watch") )
    {
        sleep(WATCH_NS);
        say(owned, "has", words_at(owned_at)[2]);
    }
    if ( ready )
        port = signal(ready);
    print("domb: domain is up\n");
    end(how, port);
}
