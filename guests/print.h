/* SPDX-License-Identifier: Apache-2.0 */
/* Writes to Xen's log. */
#include "machine.h"

static void print(const char *text)
{
    while ( *text )
        print_character(*text++);
}

static void print_number(const char *text, uint64_t value)
{
    int shift = 60;

    print(text);
    while ( shift > 0 && !(value >> shift & 15) )
        shift -= 4;
    for ( ; shift >= 0; shift -= 4 )
        print_character("0123456789abcdef"[value >> shift & 15]);
}
