/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the launch's receipt from Xen, once the boot domain has exited, and says in words what each
 * plan did: how it ended, which domain failed and why, when each was started, ready and gone. Needs
 * the module xen-privcmd with unrestricted=1, and the right to read it: a control domain's or that
 * of a recovery domain. Exits with 0, or with 1 if there is no receipt, 2 if it is called wrongly.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>

#include <public/boot_domain.h>
#include <public/sched.h>

/* Offsets and words of contract/receipt.ts. */
#include "receipt.h"

#define CALLS        "/dev/xen/privcmd"
#define BUFFERS      "/dev/xen/hypercall"
#define PAGE         4096
#define BUFFER_PAGES 16
/* The boot domain exits when its last step is done: soon after this domain's start. */
#define PAUSE_NS     10000000L
#define MOST_PAUSES  6000

/* Linux' own header needs others that it does not bring. */
struct privcmd_hypercall {
    uint64_t op;
    uint64_t arg[5];
};
#define IOCTL_PRIVCMD_HYPERCALL _IOC(_IOC_NONE, 'P', 0, sizeof(struct privcmd_hypercall))

static int lacks(const char *what)
{
    fprintf(stderr, "domb-receipt: %s: %s%s\n", what, strerror(errno),
            errno == ENOENT ? "; load the module xen-privcmd with unrestricted=1" : "");
    return -1;
}

/* Memory that Xen can read and write, and a device to call it by. */
static int prepare(struct xen_boot_domain_part **part)
{
    int calls = open(CALLS, O_RDWR | O_CLOEXEC), buffers = open(BUFFERS, O_RDWR | O_CLOEXEC);
    void *memory;

    if ( calls < 0 )
        return lacks(CALLS);
    if ( buffers < 0 )
        return lacks(BUFFERS);
    memory = mmap(NULL, (1 + BUFFER_PAGES) * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, buffers, 0);
    if ( memory == MAP_FAILED )
        return lacks(BUFFERS);
    *part = memory;
    return calls;
}

/* The receipt's bytes, and how many there are; NULL: there is none. */
static const uint8_t *read_receipt(uint32_t *bytes)
{
    const struct timespec pause = { .tv_nsec = PAUSE_NS };
    struct xen_boot_domain_part *part;
    int calls = prepare(&part), answer, pauses = 0;
    uint8_t *buffer;

    if ( calls < 0 )
        return NULL;
    buffer = (uint8_t *)part + PAGE;
    for ( ;; )
    {
        struct privcmd_hypercall call = {
            __HYPERVISOR_boot_domain_op, { XEN_BOOT_DOMAIN_receipt, (uintptr_t)part },
        };

        /* Xen finds no page to write to that Linux has not seen written. */
        memset(part, 0, (1 + BUFFER_PAGES) * PAGE);
        set_xen_guest_handle_raw(part->buffer, buffer);
        part->bytes = BUFFER_PAGES * PAGE;
        answer = ioctl(calls, IOCTL_PRIVCMD_HYPERCALL, &call);
        if ( answer >= 0 || errno != ENODATA || pauses++ == MOST_PAUSES )
            break;
        nanosleep(&pause, NULL);
    }
    *bytes = part->bytes;
    if ( answer >= 0 )
        return buffer;
    fprintf(stderr, "domb-receipt: Xen gives no receipt: %s%s\n", strerror(errno),
            errno == EPERM ? "; this domain may not read it" : "");
    return NULL;
}

static uint32_t word(const uint8_t *record, unsigned int offset)
{
    uint32_t value;

    memcpy(&value, record + offset, sizeof(value));
    return value;
}

static uint64_t time_at(const uint8_t *record, unsigned int offset)
{
    uint64_t value;

    memcpy(&value, record + offset, sizeof(value));
    return value;
}

static const char *text_of(const char *const *texts, size_t count, uint32_t value)
{
    return value < count && texts[value] ? texts[value] : "unknown to this program";
}
#define TEXT_OF(texts, value) text_of(texts, sizeof(texts) / sizeof(*(texts)), value)

static const char *end_of(uint32_t reason)
{
    static const char *const reasons[] = {
        [SHUTDOWN_poweroff] = "it powered off", [SHUTDOWN_reboot] = "it asked for a reboot",
        [SHUTDOWN_suspend] = "it suspended", [SHUTDOWN_crash] = "it crashed",
        [SHUTDOWN_watchdog] = "its watchdog ended it", [SHUTDOWN_soft_reset] = "it asked for a reset",
    };

    return reason == UINT32_MAX ? "another domain destroyed it" : TEXT_OF(reasons, reason);
}

/* What Xen refused, if it did. */
static void say_error(uint32_t operation, uint32_t error)
{
    if ( operation )
        printf(", operation %u", operation);
    if ( error )
        printf(", errno %u (%s)", error, strerror(error));
}

static void say_domain(const uint8_t *part, const uint8_t *domain)
{
    static const struct { const char *name; unsigned int at; } times[] = {
        { "created", ReceiptDomain_createdAt }, { "started", ReceiptDomain_startedAt },
        { "signalled", ReceiptDomain_signalledAt }, { "ready", ReceiptDomain_readyAt },
        { "ended", ReceiptDomain_endedAt }, { "destroyed", ReceiptDomain_destroyedAt },
    };
    const char *before = "    at ms";

    printf("  %.*s (domain %u): %s", NAME_BYTES, (const char *)domain + ReceiptDomain_name,
           word(domain, ReceiptDomain_domid),
           TEXT_OF(DomainState_texts, word(domain, ReceiptDomain_state)));
    if ( word(domain, ReceiptDomain_status) )
    {
        printf("\n    failed: %s", TEXT_OF(LaunchStatus_texts, word(domain, ReceiptDomain_status)));
        say_error(word(domain, ReceiptDomain_operation), word(domain, ReceiptDomain_error));
    }
    if ( time_at(domain, ReceiptDomain_endedAt) )
        printf("\n    %s", end_of(word(domain, ReceiptDomain_endReason)));
    printf("\n");
    for ( unsigned int i = 0; i < sizeof(times) / sizeof(*times); i++ )
    {
        uint64_t at = time_at(domain, times[i].at);

        if ( !at )
            continue;
        printf("%s %s %.3f", before, times[i].name,
               (double)(at - time_at(part, ReceiptHeader_beganAt)) /
                   word(part, ReceiptHeader_clockKilohertz));
        before = ",";
    }
    if ( *before == ',' )
        printf("\n");
}

static uint64_t bytes_of(const uint8_t *part)
{
    return ReceiptHeader_size +
           (uint64_t)word(part, ReceiptHeader_domains) * ReceiptDomain_size +
           (uint64_t)word(part, ReceiptHeader_steps) * ReceiptStep_size;
}

static void say_part(const char *plan, const uint8_t *part)
{
    const uint8_t *domains = part + ReceiptHeader_size;
    uint32_t count = word(part, ReceiptHeader_domains), failed = word(part, ReceiptHeader_domain);

    printf("%s plan, version %u, ended with status %u: %s\n", plan,
           word(part, ReceiptHeader_launchVersion), word(part, ReceiptHeader_status),
           TEXT_OF(LaunchStatus_texts, word(part, ReceiptHeader_status)));
    if ( word(part, ReceiptHeader_status) )
    {
        printf("  it failed");
        if ( failed && failed <= count )
            printf(" by domain %.*s", NAME_BYTES,
                   (const char *)domains + (failed - 1) * ReceiptDomain_size + ReceiptDomain_name);
        if ( word(part, ReceiptHeader_step) )
            printf(", in step %u", word(part, ReceiptHeader_step));
        say_error(word(part, ReceiptHeader_operation), word(part, ReceiptHeader_error));
        printf("\n");
    }
    for ( uint32_t i = 0; i < count; i++ )
        say_domain(part, domains + i * ReceiptDomain_size);
}

/* Whether there is a part of this version, whole. */
static int is_part(const uint8_t *part, const uint8_t *end)
{
    return end - part >= ReceiptHeader_size && word(part, ReceiptHeader_magic) == RECEIPT_MAGIC &&
           word(part, ReceiptHeader_version) == RECEIPT_VERSION &&
           bytes_of(part) <= (uint64_t)(end - part) && word(part, ReceiptHeader_clockKilohertz);
}

int main(int count, char **words)
{
    const struct xen_boot_domain_receipt *xen;
    const uint8_t *receipt, *part, *end;
    uint32_t bytes;

    if ( count != 1 )
    {
        fprintf(stderr, "usage: %s, without parameters\n", words[0]);
        return 2;
    }
    receipt = read_receipt(&bytes);
    if ( !receipt )
        return 1;
    xen = (const void *)receipt;
    end = receipt + bytes;
    part = receipt + sizeof(*xen) + xen->nr_domains * sizeof(struct xen_boot_domain_stamp);
    if ( bytes < sizeof(*xen) || !is_part(part, end) )
    {
        fprintf(stderr, "domb-receipt: the receipt is not of version %d\n", RECEIPT_VERSION);
        return 1;
    }
    say_part("main", part);
    part += bytes_of(part);
    if ( is_part(part, end) )
        say_part("recovery", part);
    return 0;
}
