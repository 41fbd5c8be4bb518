/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Linux user space that writes to memory of a link that it may only read: "trespass DOMID REF". It
 * says what Linux and Xen answer when it maps the page to write, and what becomes of a write to it
 * when it has mapped it to read and then told Linux that it may write. Where the processor tries
 * the write without end, the alarm ends it.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <public/grant_table.h>
#include <xen/gntdev.h>

#define PAGE 4096

static sigjmp_buf stopped;

static void stop(int number)
{
    siglongjmp(stopped, number);
}

/* A page as Linux maps it now, or MAP_FAILED. */
static volatile unsigned long *map(unsigned int domid, unsigned int reference, int protection)
{
    struct ioctl_gntdev_map_grant_ref map = { .count = 1, .refs = { { domid, reference } } };
    int device = open("/dev/xen/gntdev", O_RDWR);

    if ( device < 0 || ioctl(device, IOCTL_GNTDEV_MAP_GRANT_REF, &map) < 0 )
        return MAP_FAILED;
    return mmap(NULL, PAGE, protection, MAP_SHARED, device, map.index);
}

int main(int count, char **words)
{
    const struct sigaction action = { .sa_handler = stop };
    volatile unsigned long *page;
    volatile unsigned long before;
    unsigned int domid, reference;
    int number;

    if ( count != 3 )
        return 2;
    domid = atoi(words[1]);
    reference = atoi(words[2]);
    page = map(domid, reference, PROT_READ | PROT_WRITE);
    printf("map to write: %s\n", page == MAP_FAILED ? strerror(errno) : "done");
    page = map(domid, reference, PROT_READ);
    printf("map to read: %s\n", page == MAP_FAILED ? strerror(errno) : "done");
    if ( page == MAP_FAILED )
        return 1;
    number = mprotect((void *)page, PAGE, PROT_READ | PROT_WRITE);
    printf("have Linux allow it: %s\n", number ? strerror(errno) : "done");
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    sigaction(SIGALRM, &action, NULL);
    before = *page;
    number = sigsetjmp(stopped, 1);
    if ( !number )
    {
        alarm(1);
        *page = ~before;
        alarm(0);
    }
    printf("write: %s\n", number ? strsignal(number) : "done");
    printf("changed: %s\n", *page == before ? "no" : "yes");
    return 0;
}
