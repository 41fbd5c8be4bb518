/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Says that this Linux domain is ready, by the event channel that the boot domain has opened for it:
 * the word "domb.ready=DOMID:PORT" of the kernel's command line names it. Needs the module
 * xen-evtchn. Exits with 0 once it is said, 1 if it can't be, 2 if it is called wrongly, and 3 if
 * nobody waits for it: the command line has no such word.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Linux' header takes it for granted. */
typedef uint16_t domid_t;
#include <xen/evtchn.h>

#define DEVICE       "/dev/xen/evtchn"
#define COMMAND_LINE "/proc/cmdline"
#define WORD         "domb.ready="

enum { SAID = 0, FAILED = 1, USAGE = 2, NOT_ASKED = 3 };

static int __attribute__((format(printf, 2, 3))) ended(int code, const char *format, ...)
{
    va_list words;

    fputs("domb-ready: ", stderr);
    va_start(words, format);
    vfprintf(stderr, format, words);
    va_end(words);
    fputc('\n', stderr);
    return code;
}

/* The number at a text, which must be the whole of it up to `end`. */
static int read_number(const char *text, char end, unsigned long maximum, unsigned int *number)
{
    char *rest;
    unsigned long value;

    if ( *text < '0' || *text > '9' )
        return 0;
    errno = 0;
    value = strtoul(text, &rest, 10);
    *number = value;
    return !errno && *rest == end && value <= maximum;
}

static int signal_by(const char *channel, unsigned int domid, unsigned int port)
{
    struct ioctl_evtchn_bind_interdomain bind = { .remote_domain = domid, .remote_port = port };
    struct ioctl_evtchn_notify notify;
    int device = open(DEVICE, O_RDWR | O_CLOEXEC), own;

    if ( device < 0 )
        return ended(FAILED, "%s: %s%s", DEVICE, strerror(errno),
                     errno == ENOENT ? "; load the module xen-evtchn, and mount /dev" : "");
    own = ioctl(device, IOCTL_EVTCHN_BIND_INTERDOMAIN, &bind);
    if ( own < 0 )
        return ended(FAILED, "binding to %s: %s%s", channel, strerror(errno),
                     errno == ESRCH ? "; the launch has ended" : "");
    notify.port = own;
    if ( ioctl(device, IOCTL_EVTCHN_NOTIFY, &notify) < 0 )
        return ended(FAILED, "notifying %s: %s", channel, strerror(errno));
    return SAID;
}

int main(int count, char **words)
{
    char line[4096] = "", *word, *next = line;
    unsigned int domid, port;
    FILE *file;

    if ( count != 1 )
        return ended(USAGE, "usage: %s, without parameters", words[0]);
    file = fopen(COMMAND_LINE, "re");
    if ( !file || !fgets(line, sizeof(line), file) )
        return ended(FAILED, "%s: %s", COMMAND_LINE, file ? "it is empty" : strerror(errno));
    fclose(file);
    while ( (word = strsep(&next, " \n")) )
        if ( !strncmp(word, WORD, strlen(WORD)) )
            break;
    if ( !word )
        return ended(NOT_ASKED, "%s has no %sDOMID:PORT: nobody waits for it", COMMAND_LINE, WORD);
    next = strchr(word, ':');
    if ( !next || !read_number(word + strlen(WORD), ':', 0x7fff, &domid) ||
         !read_number(next + 1, '\0', 0xffffffff, &port) )
        return ended(FAILED, "%s has %s; wanted: %sDOMID:PORT, two numbers", COMMAND_LINE, word,
                     WORD);
    return signal_by(word, domid, port);
}
