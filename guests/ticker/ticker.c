/* SPDX-License-Identifier: Apache-2.0 */
/* Never ends: writes a line now and then, so that others see whether it still runs. */
#include <stdint.h>

#include <public/arch-x86/hvm/start_info.h>

#include "../print.h"

#define ROUNDS 20000000UL

void guest(const struct hvm_start_info *info)
{
    for ( uint64_t tick = 0; ; tick++ )
    {
        print_number("ticker: ", tick);
        print(tick ? "\n" : "\ndomb: domain is up\n");
        for ( unsigned long round = 0; round < ROUNDS; round++ )
            asm volatile ("" ::: "memory");
    }
}
