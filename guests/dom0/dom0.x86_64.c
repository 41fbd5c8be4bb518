/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A classic PV dom0 that says what it is given, and what Xen answers to every hypercall: each with
 * arguments that nothing can be done with, so that the answer tells who knows the hypercall.
 */
#include <stdint.h>

#include <public/xen.h>
#include <public/sched.h>

#define HYPERCALLS 64
#define COMMANDS   8

static char line[256];
static unsigned int length;

static long hypercall(unsigned int number, unsigned long a, unsigned long b, unsigned long c)
{
    register unsigned long d asm ("r10") = c, e asm ("r8") = c;
    long result = number;

    asm volatile ("syscall"
                  : "+a" (result), "+D" (a), "+S" (b), "+d" (c), "+r" (d), "+r" (e)
                  :: "memory", "rcx", "r9", "r11");
    return result;
}

static void print(const char *text)
{
    for ( ; *text; text++ )
    {
        line[length++] = *text;
        if ( *text != '\n' && length < sizeof(line) )
            continue;
        hypercall(__HYPERVISOR_console_io, CONSOLEIO_write, length, (unsigned long)line);
        length = 0;
    }
}

static void print_number(const char *text, long value)
{
    unsigned long rest = value < 0 ? -(unsigned long)value : value;
    char digits[21];
    char *digit = &digits[20];

    *digit = '\0';
    do {
        *--digit = '0' + rest % 10;
        rest /= 10;
    } while ( rest );
    print(text);
    if ( value < 0 )
        print("-");
    print(digit);
}

void guest(const struct start_info *info)
{
    struct sched_shutdown reboot = { .reason = SHUTDOWN_reboot };
    unsigned int number;

    print("dom0: ");
    print(info->magic);
    print_number(" pages ", info->nr_pages);
    print_number(" flags ", info->flags);
    print(" command line ");
    print((const char *)info->cmd_line);
    print("\n");
    for ( number = 0; number < HYPERCALLS; number++ )
    {
        /* Does not return. */
        if ( number == __HYPERVISOR_iret )
            continue;
        print_number("dom0: hypercall ", number);
        print_number(": ", hypercall(number, ~0ul, ~0ul, ~0ul));
        print("\n");
    }
    for ( number = 0; number < COMMANDS; number++ )
    {
        print_number("dom0: boot_domain_op ", number);
        print_number(": ", hypercall(__HYPERVISOR_boot_domain_op, number, 0, 0));
        print("\n");
    }
    hypercall(__HYPERVISOR_sched_op, SCHEDOP_shutdown, (unsigned long)&reboot, 0);
    __builtin_unreachable();
}
