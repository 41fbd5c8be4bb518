/* SPDX-License-Identifier: Apache-2.0 */
/* The boot domain, which says at its exit how often it has asked Xen for news: "counting: N". */
#define Z_xenZ_bootDomainOp real_boot_domain_op
#include "machine.c"
#undef Z_xenZ_bootDomainOp

#include <public/boot_domain.h>

#include "../batch/line.h"

u32 Z_xenZ_bootDomainOp(struct Z_xen_instance_t *xen, u32 command, u32 argument)
{
    static uint32_t questions;

    questions += command == XEN_BOOT_DOMAIN_wait;
    if ( command == XEN_BOOT_DOMAIN_exit )
    {
        add_text("counting: ");
        add_number(questions);
        end_line();
    }
    return real_boot_domain_op(xen, command, argument);
}
