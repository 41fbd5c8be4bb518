/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Never ends: writes a line now and then, so that others see whether it still runs. In between it
 * sleeps, and leaves the CPU to them.
 */
#include <stdint.h>

#include "../print.h"
#include "given.h"
#include "sleep.h"

#define PERIOD_NS 50000000UL

void guest(const struct given *given)
{
    prepare_hypercalls();
    for ( uint64_t tick = 0; ; tick++ )
    {
        print_number("ticker: ", tick);
        print(tick ? "\n" : "\ndomb: domain is up\n");
        sleep(PERIOD_NS);
    }
}
