/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The boot domain with one thing added for tests: domain n gets the nth of LABELS.  Before the
 * first it tries what of FLASK it may not do, and reads the policy.
 */
#define Z_xenZ_domctl plain_domctl
#include "../../bootdomain/shim/x86_64/machine.c"
#undef Z_xenZ_domctl

#include <public/boot_domain.h>
#include <public/domctl.h>
#include <public/xsm/flask_op.h>

static const char *const labels[] = { LABELS };
static uint8_t policy[0x20000];

static void say(const char *text)
{
    uint32_t bytes = 0;

    while ( text[bytes] )
        bytes++;
    hypercall(__HYPERVISOR_console_io, CONSOLEIO_write, bytes, (unsigned long)text);
}

static void say_number(const char *what, uint32_t number)
{
    char digits[12] = "0000000000\n";

    for ( int i = 9; i >= 0; i--, number /= 10 )
        digits[i] = '0' + number % 10;
    say(what);
    say(digits);
}

static long read_policy(uint32_t room, uint32_t *size)
{
    struct xen_boot_domain_policy op = { .buffer = (unsigned long)policy, .size = room };
    long rc = hypercall(__HYPERVISOR_boot_domain_op, XEN_BOOT_DOMAIN_policy, (unsigned long)&op, 0);

    *size = op.size;
    return rc;
}

static void try_flask(void)
{
    xen_flask_op_t op = { .cmd = FLASK_GETENFORCE, .interface_version = XEN_FLASK_INTERFACE_VERSION };
    uint32_t size, sum = 0;

    say_number("flask: another command -", -hypercall(__HYPERVISOR_xsm_op, (unsigned long)&op, 0, 0));
    say_number("flask: no room -", -read_policy(1, &size));
    say_number("flask: policy -", -read_policy(sizeof(policy), &size));
    for ( uint32_t i = 0; i < size && i < sizeof(policy); i++ )
        sum = sum * 31 + policy[i];
    say_number("flask: policy bytes ", size);
    say_number("flask: policy sum ", sum);
}

u32 Z_xenZ_domctl(struct Z_xen_instance_t *xen, u32 argument)
{
    struct xen_domctl *domctl = (void *)linear(argument, 0);

    if ( domctl->cmd == XEN_DOMCTL_createdomain )
    {
        const char *label = labels[domctl->domain - 1];
        xen_flask_op_t op = {
            .cmd = FLASK_CONTEXT_TO_SID,
            .interface_version = XEN_FLASK_INTERFACE_VERSION,
        };
        long rc;

        if ( domctl->domain == 1 )
            try_flask();
        while ( label[op.u.sid_context.size] )
            op.u.sid_context.size++;
        set_xen_guest_handle(op.u.sid_context.context, (char *)label);
        rc = hypercall(__HYPERVISOR_xsm_op, (unsigned long)&op, 0, 0);
        if ( rc )
            return rc;
        domctl->u.createdomain.ssidref = op.u.sid_context.sid;
    }
    return plain_domctl(xen, argument);
}
