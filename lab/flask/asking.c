/* SPDX-License-Identifier: Apache-2.0 */
/* The boot domain, which before its first domain tries all of FLASK that is not for it. */
#define Z_xenZ_domctl plain_domctl
#include "machine.c"
#undef Z_xenZ_domctl

#include <public/domctl.h>
#include <public/xsm/flask_op.h>

#include "../batch/line.h"

#define EPERM 1L

static void ask(void)
{
    static xen_flask_op_t op;
    uint32_t refused = 0;

    for ( uint32_t command = 0; command < 64; command++ )
    {
        memset(&op, 0, sizeof(op));
        op.cmd = command;
        op.interface_version = XEN_FLASK_INTERFACE_VERSION;
        if ( command != FLASK_CONTEXT_TO_SID )
            refused += hypercall(__HYPERVISOR_xsm_op, (unsigned long)&op, 0, 0) == -EPERM;
    }
    add_text("flask: refused ");
    add_number(refused);
    end_line();
}

u32 Z_xenZ_domctl(struct Z_xen_instance_t *xen, u32 argument)
{
    const struct xen_domctl *domctl = linear(argument, 0);

    if ( domctl->cmd == XEN_DOMCTL_createdomain && domctl->domain == 1 )
        ask();
    return plain_domctl(xen, argument);
}
