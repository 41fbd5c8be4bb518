/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A kernel that has something to say to another domain: whenever it is asked, by the event channel
 * "ask", it writes the next reading, a line of text, into the shared memory "reading", which is its
 * own, and notifies the one that asked. What it reads is how often it was asked.
 */
#include <stdint.h>

#include "../print.h"
#include "given.h"
#include "sleep.h"
#include "../links.h"

#define PAUSE_NS 1000000UL
#define ESRCH    3

static void end(const char *why, long answer)
{
    struct sched_shutdown op = { .reason = SHUTDOWN_crash };

    print("sensor: ");
    print(why);
    print_number(answer < 0 ? " -" : " ", answer < 0 ? -answer : answer);
    print("\n");
    hypercall(__HYPERVISOR_sched_op, SCHEDOP_shutdown, (unsigned long)&op, 0);
}

/* Writes "reading NUMBER" and an end of line into the memory. */
static void write_reading(volatile char *memory, unsigned int number)
{
    const char *words = "reading ";
    unsigned int unit = 1;

    while ( *words )
        *memory++ = *words++;
    while ( number / unit >= 10 )
        unit *= 10;
    for ( ; unit; unit /= 10 )
        *memory++ = '0' + number / unit % 10;
    *memory++ = '\n';
    *memory = '\0';
}

void guest(const struct given *given)
{
    struct link ask, reading;
    evtchn_port_t port;
    long answer;

    prepare_hypercalls();
    if ( !find_link(command_line(given), "ask", &ask) ||
         !find_link(command_line(given), "reading", &reading) || reading.kind != LINK_OWN )
        end("has not the links that it needs", 0);
    answer = prepare_events();
    if ( answer )
        end("sees no events", answer);
    while ( (answer = link_port(&ask, &port)) == -ESRCH )
        sleep(PAUSE_NS);
    if ( answer )
        end("can't bind", answer);
    await_event(port);
    print("domb: domain is up\n");
    for ( unsigned int number = 1; ; number++ )
    {
        await_event(port);
        write_reading((char *)(reading.numbers[0] << 12), number);
        answer = notify(port);
        if ( answer )
            end("can't notify", answer);
        print_number("sensor: asked, number ", number);
        print("\n");
    }
}
