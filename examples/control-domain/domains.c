/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shows, pauses, starts again and destroys domains by Debian's libxenctrl alone: no xenstore, no
 * daemon. Reads the launch's receipt by libxencall.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <public/boot_domain.h>
#include <xencall.h>
#include <xenctrl.h>

#define PART_BYTES 40

/* The exit code, after a call of a library with this answer. */
static int ended(const char *what, int answer)
{
    if ( answer >= 0 )
        return 0;
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    return 1;
}

static const char *state_of(const xc_dominfo_t *domain)
{
    static const char *const reasons[] = {
        [SHUTDOWN_poweroff] = "powered off", [SHUTDOWN_reboot] = "wants to reboot",
        [SHUTDOWN_suspend] = "suspended", [SHUTDOWN_watchdog] = "ended by the watchdog",
        [SHUTDOWN_soft_reset] = "wants a reset",
    };

    if ( domain->dying )
        return "dying";
    if ( domain->crashed )
        return "crashed";
    if ( domain->shutdown )
        return domain->shutdown_reason <= SHUTDOWN_MAX ? reasons[domain->shutdown_reason] : "ended";
    if ( domain->paused )
        return "paused";
    return domain->blocked ? "blocked" : "running";
}

static int list(xc_interface *xc)
{
    xc_dominfo_t domain;
    int count;

    for ( uint32_t from = 0; (count = xc_domain_getinfo(xc, from, 1, &domain)) == 1;
          from = domain.domid + 1 )
        printf("domain %u: %lu KiB, %lu us of CPU time, %s\n", domain.domid,
               domain.nr_pages * (XC_PAGE_SIZE / 1024), (unsigned long)(domain.cpu_time / 1000),
               state_of(&domain));
    /* Xen's answer when there is no domain from that domid on. */
    return count < 0 && errno == ESRCH ? 0 : ended("list", count);
}

static int memory(xc_interface *xc)
{
    xc_physinfo_t info = {};
    int answer = xc_physinfo(xc, &info);

    if ( !answer )
        printf("pages: %lu, free: %lu\n", (unsigned long)info.total_pages,
               (unsigned long)info.free_pages);
    return ended("memory", answer);
}

/* As hexadecimal digits; its structure is in public/boot_domain.h. */
static int receipt(void)
{
    xencall_handle *calls = xencall_open(NULL, 0);
    xen_boot_domain_part_t *part;
    unsigned char *bytes;
    int answer = -1;

    if ( !calls )
        return ended("receipt", -1);
    part = xencall_alloc_buffer(calls, sizeof(*part));
    bytes = xencall_alloc_buffer(calls, PART_BYTES);
    for ( uint32_t offset = 0; part && bytes; offset += part->bytes )
    {
        memset(part, 0, sizeof(*part));
        part->offset = offset;
        part->bytes = PART_BYTES;
        set_xen_guest_handle_raw(part->buffer, bytes);
        answer = xencall2(calls, __HYPERVISOR_boot_domain_op, XEN_BOOT_DOMAIN_receipt,
                          (uintptr_t)part);
        if ( answer < 0 || !part->bytes )
            break;
        printf("receipt: ");
        for ( uint32_t i = 0; i < part->bytes; i++ )
            printf("%02x", bytes[i]);
        printf("\n");
    }
    return ended("receipt", answer);
}

/* Xen's answer to a command on a domain, or -1 for a command that is none. */
static int change(xc_interface *xc, const char *command, uint32_t domid)
{
    if ( !strcmp(command, "pause") )
        return xc_domain_pause(xc, domid);
    if ( !strcmp(command, "unpause") )
        return xc_domain_unpause(xc, domid);
    if ( !strcmp(command, "destroy") )
        return xc_domain_destroy(xc, domid);
    errno = EINVAL;
    return -1;
}

int main(int count, char **words)
{
    const char *command = count > 1 ? words[1] : "";
    xc_interface *xc = xc_interface_open(NULL, NULL, 0);

    if ( !xc )
        return ended("xc_interface_open", -1);
    if ( count == 2 && !strcmp(command, "list") )
        return list(xc);
    if ( count == 2 && !strcmp(command, "memory") )
        return memory(xc);
    if ( count == 2 && !strcmp(command, "receipt") )
        return receipt();
    if ( count == 3 )
    {
        char *end;
        unsigned long domid = strtoul(words[2], &end, 10);

        if ( *words[2] >= '0' && *words[2] <= '9' && !*end && domid < DOMID_FIRST_RESERVED )
            return ended(command, change(xc, command, domid));
    }
    fprintf(stderr, "usage: domains list|memory|receipt\n"
                    "       domains pause|unpause|destroy DOMID\n");
    return 2;
}
