/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does what the words of its command line say, in their order, and says so in Xen's log with Xen's
 * answer: "ready: WORD ANSWER". Words: sleep=MILLISECONDS, signal, up (the examples' marker), flood
 * (it signals without end), burn (it computes without end), crash, poweroff, reboot. Then it sleeps.
 */
#include <stdint.h>

#include "../print.h"
#include "given.h"
#include "../ready.h"
#include "sleep.h"

#include <public/sched.h>

#define MILLISECOND 1000000UL
/* So many signals of a flood are a line. */
#define FLOOD_TOLD  1000

static int is_word(const char *text, const char *word)
{
    while ( *word && *text == *word )
    {
        text++;
        word++;
    }
    return !*word && (!*text || *text == ' ' || *text == '=');
}

static void say(const char *word, long answer)
{
    print("ready: ");
    for ( ; *word && *word != ' '; word++ )
        print_character(*word);
    print_number(answer < 0 ? " -" : " ", answer < 0 ? -answer : answer);
    print("\n");
}

static long shut_down(unsigned int reason)
{
    struct sched_shutdown op = { .reason = reason };

    return hypercall(__HYPERVISOR_sched_op, SCHEDOP_shutdown, (unsigned long)&op, 0);
}

static void sleep_for(const char *word)
{
    while ( *word++ != '=' )
        ;
    sleep(ready_number(&word) * MILLISECOND);
}

static long signal(const char *given)
{
    static evtchn_port_t port;

    return say_ready(given, &port);
}

static long flood(const char *given)
{
    uint32_t signals = 0;
    long answer;

    print("domb: domain is up\n");
    do {
        answer = signal(given);
        if ( !(++signals % FLOOD_TOLD) )
            say("flood", signals);
    } while ( !answer );
    return answer;
}

static void burn(void)
{
    print("domb: domain is up\n");
    for ( ;; )
        asm volatile ("");
}

static void act(const char *word, const char *given)
{
    if ( is_word(word, "sleep") )
        sleep_for(word);
    if ( is_word(word, "signal") )
        say(word, signal(given));
    if ( is_word(word, "up") )
        print("domb: domain is up\n");
    if ( is_word(word, "flood") )
        say(word, flood(given));
    if ( is_word(word, "burn") )
        burn();
    if ( is_word(word, "crash") )
        say(word, shut_down(SHUTDOWN_crash));
    if ( is_word(word, "poweroff") )
        say(word, shut_down(SHUTDOWN_poweroff));
    if ( is_word(word, "reboot") )
        say(word, shut_down(SHUTDOWN_reboot));
}

void guest(const struct given *given)
{
    const char *words = command_line(given), *word = words;

    prepare_hypercalls();
    while ( *word )
    {
        act(word, words);
        while ( *word && *word != ' ' )
            word++;
        while ( *word == ' ' )
            word++;
    }
    for ( ;; )
        sleep(1000 * MILLISECOND);
}
