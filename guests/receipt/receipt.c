/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the launch's receipt from Xen once there is one, in small parts, and writes it to Xen's log:
 * "receipt: " and hexadecimal digits, as many lines as it takes.
 */
#include <stdint.h>

#include "../print.h"
#include "given.h"

#include <public/boot_domain.h>

#define PART_BYTES 40

static long read_part(uint32_t offset, uint8_t *bytes, uint32_t *count)
{
    struct xen_boot_domain_part part = { .offset = offset, .bytes = PART_BYTES };
    long answer;

    set_xen_guest_handle(part.buffer, bytes);
    answer = hypercall(__HYPERVISOR_boot_domain_op, XEN_BOOT_DOMAIN_receipt,
                       (unsigned long)&part, 0);
    *count = part.bytes;
    return answer;
}

void guest(const struct given *given)
{
    uint8_t bytes[PART_BYTES];
    uint32_t offset = 0, count, tries = 0;

    prepare_hypercalls();
    while ( read_part(0, bytes, &count) )
        tries++;
    print_number("receipt: tries ", tries);
    print("\n");
    while ( !read_part(offset, bytes, &count) && count )
    {
        print("receipt: ");
        for ( uint32_t i = 0; i < count; i++ )
        {
            print_character("0123456789abcdef"[bytes[i] >> 4]);
            print_character("0123456789abcdef"[bytes[i] & 15]);
        }
        print("\n");
        offset += count;
    }
    print("domb: domain is up\n");
}
