/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Uses this Linux domain's links to others, which the kernel's command line tells of by words
 * "domb.link.NAME=…" (docs/links.md):
 *
 *   domb-link list            says what links there are
 *   domb-link read NAME       writes what is in the link's memory to standard output, all of it
 *   domb-link write NAME      puts standard input into the link's memory, and zeroes behind it
 *   domb-link channel NAME    notifies the other domain for each line of standard input, and writes
 *                             "event" for each of its notifications; before them "ready": from here
 *                             on none is missed, and what was before it can be seen
 *
 * It waits until the other domain is there and uses its end of a channel. Needs the modules xen-gntdev for
 * memory, xen-evtchn for channels and, at the end that opens one, xen-privcmd with unrestricted=1.
 * Exits with 0, or with 1 if something can't be done, 2 if it is called wrongly.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <public/event_channel.h>
#include <public/grant_table.h>
#include <xen/evtchn.h>
#include <xen/gntdev.h>

#define GRANTS       "/dev/xen/gntdev"
#define EVENTS       "/dev/xen/evtchn"
#define CALLS        "/dev/xen/privcmd"
#define BUFFERS      "/dev/xen/hypercall"
#define COMMAND_LINE "/proc/cmdline"
#define WORD         "domb.link."
#define PAGE         4096UL
#define MOST_LINKS   128
#define PAUSE_NS     10000000L

/* Linux' own header needs others that it does not bring. */
struct privcmd_hypercall {
    uint64_t op;
    uint64_t arg[5];
};
#define IOCTL_PRIVCMD_HYPERCALL _IOC(_IOC_NONE, 'P', 0, sizeof(struct privcmd_hypercall))

struct link {
    const char *name;
    /* Which of the two ends of a channel this is, or whose the memory is. */
    enum { OPEN, BIND, OWN, MAP } kind;
    /* The other domain; of memory, the one whose it is. */
    unsigned int domid;
    unsigned int port;
    unsigned int reference, pages;
    int writes;
};

static void __attribute__((format(printf, 1, 2), noreturn)) fail(const char *format, ...)
{
    va_list words;

    fputs("domb-link: ", stderr);
    va_start(words, format);
    vfprintf(stderr, format, words);
    va_end(words);
    fputc('\n', stderr);
    exit(1);
}

static int open_device(const char *path, int flags, const char *module)
{
    int device = open(path, flags | O_CLOEXEC);

    if ( device < 0 )
        fail("%s: %s%s%s", path, strerror(errno), errno == ENOENT ? "; load the module " : "",
             errno == ENOENT ? module : "");
    return device;
}

/* Reads a word's value; 0: it is not one of a link. */
static int read_link(const char *value, struct link *link)
{
    unsigned int first;
    char access[6], more;

    if ( sscanf(value, "open:%u:%u%c", &link->domid, &link->port, &more) == 2 )
        return link->kind = OPEN, 1;
    if ( sscanf(value, "bind:%u:%u%c", &link->domid, &link->port, &more) == 2 )
        return link->kind = BIND, 1;
    if ( sscanf(value, "own:%u:%u:%u:%u%c", &first, &link->pages, &link->reference, &link->domid,
                &more) == 4 )
        return link->kind = OWN, link->writes = 1;
    if ( sscanf(value, "map:%u:%u:%u:%5[a-z]%c", &link->domid, &link->reference, &link->pages,
                access, &more) != 4 )
        return 0;
    link->kind = MAP;
    link->writes = !strcmp(access, "write");
    return link->writes || !strcmp(access, "read");
}

static unsigned int read_links(struct link *links)
{
    static char line[4096];
    char *word, *next = line, *value;
    unsigned int count = 0;
    FILE *file = fopen(COMMAND_LINE, "re");

    if ( !file || !fgets(line, sizeof(line), file) )
        fail("%s: %s", COMMAND_LINE, file ? "it is empty" : strerror(errno));
    fclose(file);
    while ( (word = strsep(&next, " \n")) )
    {
        if ( strncmp(word, WORD, strlen(WORD)) )
            continue;
        value = strchr(word, '=');
        if ( !value || !read_link(value + 1, &links[count]) )
            fail("%s has %s, which is not a link's word", COMMAND_LINE, word);
        *value = '\0';
        links[count].name = word + strlen(WORD);
        if ( ++count == MOST_LINKS )
            break;
    }
    return count;
}

static void tell(const struct link *link)
{
    switch ( link->kind )
    {
    case OPEN:
        printf("%s: event channel, own port %u, for domain %u\n", link->name, link->port,
               link->domid);
        break;
    case BIND:
        printf("%s: event channel, to port %u of domain %u\n", link->name, link->port, link->domid);
        break;
    default:
        printf("%s: memory of ", link->name);
        if ( link->kind == OWN )
            printf("its own");
        else
            printf("domain %u", link->domid);
        printf(", %lu bytes, to read%s\n", link->pages * PAGE, link->writes ? " and write" : "");
    }
}

/* Says once what it waits for. */
static void wait_a_moment(const struct link *link)
{
    static int said;
    const struct timespec pause = { .tv_nsec = PAUSE_NS };

    if ( !said++ )
        fprintf(stderr, "domb-link: waiting for domain %u\n", link->domid);
    nanosleep(&pause, NULL);
}

/* The link's memory, for as long as the program runs. */
static char *map_memory(const struct link *link, int protection)
{
    struct ioctl_gntdev_map_grant_ref *map =
        calloc(1, sizeof(*map) + link->pages * sizeof(*map->refs));
    int writes = protection & PROT_WRITE;
    int device = open_device(GRANTS, writes ? O_RDWR : O_RDONLY, "xen-gntdev");
    char *memory;

    if ( !map )
        fail("%s", strerror(ENOMEM));
    map->count = link->pages;
    for ( unsigned int page = 0; page < link->pages; page++ )
        map->refs[page] = (struct ioctl_gntdev_grant_ref){ link->domid, link->reference + page };
    if ( ioctl(device, IOCTL_GNTDEV_MAP_GRANT_REF, map) < 0 )
        fail("%s: %s", GRANTS, strerror(errno));
    /* Linux says EINVAL for whatever Xen refuses: mostly, that there is no such domain yet. */
    while ( (memory = mmap(NULL, link->pages * PAGE, protection, MAP_SHARED, device,
                           map->index)) == MAP_FAILED && errno == EINVAL && link->kind == MAP )
        wait_a_moment(link);
    if ( memory == MAP_FAILED )
        fail("mapping %s: %s", link->name, strerror(errno));
    return memory;
}

static void read_memory(const struct link *link)
{
    const char *memory = map_memory(link, PROT_READ);

    if ( fwrite(memory, PAGE, link->pages, stdout) != link->pages || fflush(stdout) )
        fail("standard output: %s", strerror(errno));
}

static void write_memory(const struct link *link)
{
    size_t room = link->pages * PAGE, used;
    char *memory, more;

    if ( !link->writes )
        fail("%s is for this domain to read, not to write", link->name);
    memory = map_memory(link, PROT_READ | PROT_WRITE);
    used = fread(memory, 1, room, stdin);
    memset(memory + used, 0, room - used);
    if ( fread(&more, 1, 1, stdin) )
        fail("%s holds %zu bytes: what is more was left out", link->name, room);
    if ( ferror(stdin) )
        fail("standard input: %s", strerror(errno));
}

/* Binds to a port of the other domain, once it is open; the own port. */
static unsigned int bind_to(const struct link *link, int events, unsigned int port)
{
    struct ioctl_evtchn_bind_interdomain bind = { link->domid, port };
    unsigned int pending;
    int own;

    while ( (own = ioctl(events, IOCTL_EVTCHN_BIND_INTERDOMAIN, &bind)) < 0 &&
            (errno == ESRCH || errno == EINVAL) )
        wait_a_moment(link);
    if ( own < 0 )
        fail("binding to port %u of domain %u: %s", port, link->domid, strerror(errno));
    /* Xen makes a port pending when it is bound: whatever came before. */
    if ( read(events, &pending, sizeof(pending)) != sizeof(pending) ||
         write(events, &pending, sizeof(pending)) != sizeof(pending) )
        fail("%s: %s", EVENTS, strerror(errno));
    return own;
}

/* Calls Xen about event channels; `op` is in memory that Xen can reach. */
static void call(int calls, unsigned int command, void *op, const char *what)
{
    struct privcmd_hypercall call = {
        __HYPERVISOR_event_channel_op, { command, (uintptr_t)op },
    };

    if ( ioctl(calls, IOCTL_PRIVCMD_HYPERCALL, &call) < 0 )
        fail("%s: %s", what, strerror(errno));
}

static const struct evtchn_status *status_of(int calls, void *buffer, unsigned int port)
{
    struct evtchn_status *status = buffer;

    *status = (struct evtchn_status){ .dom = DOMID_SELF, .port = port };
    call(calls, EVTCHNOP_status, status, "the state of the port");
    return status;
}

/*
 * Takes the link's own port, which nobody has: Linux gets the lowest free one, so that what is lower
 * is held meanwhile. Opens it, or binds it to a port of the other domain, unless that is 0.
 */
static void take_port(const struct link *link, int events, unsigned int other)
{
    struct ioctl_evtchn_bind_unbound_port open = { link->domid };
    int port = ioctl(events, IOCTL_EVTCHN_BIND_UNBOUND_PORT, &open);
    struct ioctl_evtchn_unbind unbind = { port };

    if ( port < 0 )
        fail("opening a port: %s", strerror(errno));
    if ( (unsigned int)port < link->port )
        take_port(link, events, other);
    if ( (unsigned int)port == link->port && !other )
        return;
    if ( ioctl(events, IOCTL_EVTCHN_UNBIND, &unbind) < 0 )
        fail("giving port %d back: %s", port, strerror(errno));
    if ( (unsigned int)port > link->port ||
         ((unsigned int)port == link->port && bind_to(link, events, other) != link->port) )
        fail("port %u, which is the link's, is taken", link->port);
}

/*
 * Has Linux know the port that was open before it. Linux 6.1 has no call for that. So wait until the
 * other domain has bound; close the own port, which leaves the other one's open for this domain; and
 * bind to it, from the same port. If an earlier program has closed the port, open it again.
 */
static void adopt_port(const struct link *link, int events)
{
    struct flock only = { .l_type = F_WRLCK, .l_start = link->port, .l_len = 1 };
    int calls = open_device(CALLS, O_RDWR, "xen-privcmd with unrestricted=1");
    int buffers = open_device(BUFFERS, O_RDWR, "xen-privcmd with unrestricted=1");
    void *buffer = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, buffers, 0);
    const struct evtchn_status *status = buffer;
    struct evtchn_close *close = buffer;
    int opened;

    if ( buffer == MAP_FAILED )
        fail("%s: %s", BUFFERS, strerror(errno));
    if ( fcntl(events, F_SETLK, &only) < 0 )
        fail("%s is in use by another program of this domain", link->name);
    opened = status_of(calls, buffer, link->port)->status == EVTCHNSTAT_closed;
    if ( opened )
        take_port(link, events, 0);
    while ( status_of(calls, buffer, link->port)->status == EVTCHNSTAT_unbound )
        wait_a_moment(link);
    if ( status->status != EVTCHNSTAT_interdomain || status->u.interdomain.dom != link->domid )
        fail("port %u is not the link's", link->port);
    if ( !opened )
    {
        unsigned int other = status->u.interdomain.port;

        close->port = link->port;
        call(calls, EVTCHNOP_close, close, "closing the port");
        take_port(link, events, other);
    }
}

/* Notifies for each whole line; 0: there are no more. */
static int pass_lines(int events, unsigned int port)
{
    struct ioctl_evtchn_notify notify = { port };
    char bytes[512];
    ssize_t count = read(STDIN_FILENO, bytes, sizeof(bytes));

    for ( ssize_t i = 0; i < count; i++ )
        if ( bytes[i] == '\n' && ioctl(events, IOCTL_EVTCHN_NOTIFY, &notify) < 0 )
            fail("notifying: %s", strerror(errno));
    return count > 0;
}

static void use_channel(const struct link *link)
{
    int events = open_device(EVENTS, O_RDWR, "xen-evtchn");
    struct pollfd files[] = { { events, POLLIN, 0 }, { STDIN_FILENO, POLLIN, 0 } };
    unsigned int port = link->port;

    if ( link->kind == OPEN )
        adopt_port(link, events);
    else
        port = bind_to(link, events, link->port);
    setvbuf(stdout, NULL, _IOLBF, 0);
    puts("ready");
    for ( ;; )
    {
        if ( poll(files, 2, -1) < 0 )
            fail("poll: %s", strerror(errno));
        if ( files[0].revents )
        {
            /* Writing the port back lets the next event in. */
            if ( read(events, &port, sizeof(port)) != sizeof(port) ||
                 write(events, &port, sizeof(port)) != sizeof(port) )
                fail("%s: %s", EVENTS, strerror(errno));
            if ( puts("event") < 0 )
                fail("standard output: %s", strerror(errno));
        }
        if ( files[1].revents && !pass_lines(events, port) )
            files[1].fd = -1;
    }
}

int main(int count, char **words)
{
    static struct link links[MOST_LINKS];
    unsigned int known = read_links(links);
    const char *command = count > 1 ? words[1] : "";
    void (*use)(const struct link *) = !strcmp(command, "read") ? read_memory
                                       : !strcmp(command, "write") ? write_memory
                                       : !strcmp(command, "channel") ? use_channel : NULL;

    if ( count == 2 && !strcmp(command, "list") )
    {
        for ( unsigned int i = 0; i < known; i++ )
            tell(&links[i]);
        return 0;
    }
    if ( count != 3 || !use )
    {
        fprintf(stderr, "usage: domb-link list\n       domb-link read|write|channel NAME\n");
        return 2;
    }
    for ( unsigned int i = 0; i < known; i++ )
        if ( !strcmp(links[i].name, words[2]) )
        {
            if ( (use == use_channel) != (links[i].kind == OPEN || links[i].kind == BIND) )
                fail("%s is %s", words[2], use == use_channel ? "memory" : "an event channel");
            use(&links[i]);
            return 0;
        }
    fail("%s has no %s%s", COMMAND_LINE, WORD, words[2]);
}
