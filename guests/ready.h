/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a kernel says that its domain is ready: it binds to the event channel that the word
 * "domb.ready=DOMID:PORT" of its command line names, and notifies it. This takes Xen's public
 * headers and hypercall(number, argument, argument, argument), and nothing else.
 */
#include <public/event_channel.h>
#include <public/xen.h>

#define READY_NOT_ASKED -2L /* -ENOENT */

/* The number at a text, which then is behind it. */
static unsigned int ready_number(const char **text)
{
    unsigned int number = 0;

    while ( **text >= '0' && **text <= '9' )
        number = number * 10 + (*(*text)++ - '0');
    return number;
}

/*
 * Says that the domain is ready: 0, Xen's errno, or READY_NOT_ASKED. *port, 0 at first, is this
 * domain's end of the channel then; to say it again is no harm, and no news.
 */
static long say_ready(const char *command_line, evtchn_port_t *port)
{
    static const char word[] = "domb.ready=";
    struct evtchn_bind_interdomain bind = { 0 };
    struct evtchn_send send;
    const char *text = command_line;
    unsigned int same = 0;
    long answer = 0;

    for ( ; *text && word[same]; text++ )
        same = *text == word[same] && (same || text == command_line || text[-1] == ' ')
               ? same + 1 : 0;
    if ( word[same] )
        return READY_NOT_ASKED;
    bind.remote_dom = ready_number(&text);
    text++;
    bind.remote_port = ready_number(&text);
    if ( !*port )
        answer = hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_interdomain,
                           (unsigned long)&bind, 0);
    if ( answer )
        return answer;
    send.port = *port = *port ? *port : bind.local_port;
    return hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_send, (unsigned long)&send, 0);
}
