/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A boot domain for tests: launches many images, one after another, on one running Xen. Between
 * the real wasm2c code and the real shim it counts hypercalls, gives the answers that a case
 * asks for, and takes the exit as the end of the case; afterwards it destroys what is left, and
 * counts the host's free pages. The module's layout is in batch.ts.
 */
#define start                start_single
#define Z_machineZ_trustRead real_trust_read
#define Z_xenZ_domctl        real_domctl
#define Z_xenZ_sysctl        real_sysctl
#define Z_xenZ_memoryOp      real_memory_op
#define Z_xenZ_consoleWrite  real_console_write
#define Z_xenZ_xsmOp         real_xsm_op
#define Z_xenZ_bootDomainOp  real_boot_domain_op
#include "machine.c"
#undef start
#undef Z_machineZ_trustRead
#undef Z_xenZ_domctl
#undef Z_xenZ_sysctl
#undef Z_xenZ_memoryOp
#undef Z_xenZ_consoleWrite
#undef Z_xenZ_xsmOp
#undef Z_xenZ_bootDomainOp

#include <public/boot_domain.h>
#include <public/domctl.h>

#define MAX_LEFT 512

/* The machine is where an image's header has it. */
struct batch_header {
    uint32_t magic, cases, machine, faults, room_pages;
};

struct batch_case {
    uint32_t image_offset, image_bytes, free_pages, first_fault, faults, trust_offset;
};

struct batch_fault {
    uint32_t hypercall, occurrence;
    int32_t answer;
    uint32_t done;
};

/* As hypercallNames in xen-model/hypercalls.ts. */
enum {
    CREATE_DOMAIN, ALLOCATE_VCPUS, SET_PAGING_POOL, LIMIT_MEMORY, POPULATE, COPY, CLEAR,
    SET_CONTEXT, SET_AFFINITY, SET_SHARE, CHANGE_POOL, OPEN_CHANNEL, GRANT, START, WAIT, DESTROY,
    CONSOLE, EXIT, DROP, POLICY, LABEL, HYPERCALLS
};

static const struct batch_fault *faults;
static uint32_t fault_count;
static const uint8_t *case_trust;
static uint32_t occurrences[HYPERCALLS];
static uint32_t hypercalls;
/* As the exit has it. */
static uint32_t receipt_bytes;

/* Domains that Xen has created for this case and not destroyed. */
static struct { uint16_t domid; bool started; } left[MAX_LEFT];
static uint32_t left_count;

static void *exit_buffer[5];

#include "line.h"
#include "altered.h"

static const struct batch_fault *next_fault(unsigned int which)
{
    hypercalls++;
    occurrences[which]++;
    for ( uint32_t i = 0; i < fault_count; i++ )
        if ( faults[i].hypercall == which && faults[i].occurrence == occurrences[which] )
            return &faults[i];
    return 0;
}

static void note_created(uint16_t domid)
{
    if ( left_count == MAX_LEFT )
        crash();
    left[left_count].domid = domid;
    left[left_count++].started = false;
}

static void note_started(uint16_t domid)
{
    for ( uint32_t i = 0; i < left_count; i++ )
        if ( left[i].domid == domid )
            left[i].started = true;
}

static void note_destroyed(uint16_t domid)
{
    for ( uint32_t i = 0; i < left_count; i++ )
        if ( left[i].domid == domid )
            left[i] = left[--left_count];
}

static unsigned int name_of(uint32_t command)
{
    switch ( command )
    {
    case XEN_DOMCTL_createdomain: return CREATE_DOMAIN;
    case XEN_DOMCTL_max_vcpus: return ALLOCATE_VCPUS;
    case XEN_DOMCTL_set_paging_mempool_size: return SET_PAGING_POOL;
    case XEN_DOMCTL_max_mem: return LIMIT_MEMORY;
    case XEN_DOMCTL_setcontext: return SET_CONTEXT;
    case XEN_DOMCTL_setvcpuaffinity: return SET_AFFINITY;
    case XEN_DOMCTL_scheduler_op: return SET_SHARE;
    case XEN_DOMCTL_unpausedomain: return START;
    case XEN_DOMCTL_destroydomain: return DESTROY;
    default: crash();
    }
}

u32 Z_xenZ_domctl(struct Z_xen_instance_t *xen, u32 argument)
{
    const struct xen_domctl *op = linear(argument, sizeof(*op));
    unsigned int name = name_of(op->cmd);
    const struct batch_fault *fault = next_fault(name);
    uint16_t domid = op->domain;
    int32_t answer = 0;

    if ( !fault || fault->done )
        answer = real_domctl(xen, argument);
    if ( !answer && (!fault || fault->done) )
    {
        if ( name == CREATE_DOMAIN )
            note_created(domid);
        else if ( name == START )
            note_started(domid);
        else if ( name == DESTROY )
            note_destroyed(domid);
    }
    return fault ? fault->answer : answer;
}

u32 Z_xenZ_sysctl(struct Z_xen_instance_t *xen, u32 argument)
{
    const struct batch_fault *fault = next_fault(CHANGE_POOL);

    return fault ? fault->answer : real_sysctl(xen, argument);
}

void Z_machineZ_trustRead(struct Z_machine_instance_t *machine, u32 destination)
{
    memcpy(linear(destination, TRUST_BYTES), case_trust, TRUST_BYTES);
}

u32 Z_xenZ_memoryOp(struct Z_xen_instance_t *xen, u32 command, u32 argument)
{
    struct xen_memory_reservation *reservation = linear(argument, sizeof(*reservation));
    const struct batch_fault *fault = next_fault(POPULATE);

    if ( !fault )
        return real_memory_op(xen, command, argument);
    if ( fault->done < reservation->nr_extents )
        reservation->nr_extents = fault->done;
    if ( fault->done )
        real_memory_op(xen, command, argument);
    return fault->answer;
}

u32 Z_xenZ_consoleWrite(struct Z_xen_instance_t *xen, u32 text, u32 bytes)
{
    const struct batch_fault *fault = next_fault(CONSOLE);

    return fault ? fault->answer : real_console_write(xen, text, bytes);
}

u32 Z_xenZ_xsmOp(struct Z_xen_instance_t *xen, u32 argument)
{
    const struct batch_fault *fault = next_fault(LABEL);

    return fault ? fault->answer : real_xsm_op(xen, argument);
}

u32 Z_xenZ_bootDomainOp(struct Z_xen_instance_t *xen, u32 command, u32 argument)
{
    static const uint8_t names[] = {
        [XEN_BOOT_DOMAIN_exit] = EXIT, [XEN_BOOT_DOMAIN_copy] = COPY,
        [XEN_BOOT_DOMAIN_clear] = CLEAR, [XEN_BOOT_DOMAIN_drop] = DROP,
        [XEN_BOOT_DOMAIN_policy] = POLICY, [XEN_BOOT_DOMAIN_wait] = WAIT,
        [XEN_BOOT_DOMAIN_channel] = OPEN_CHANNEL, [XEN_BOOT_DOMAIN_grant] = GRANT,
    };
    const struct batch_fault *fault = next_fault(names[command]);
    struct xen_boot_domain_fill *fill;

    if ( command == XEN_BOOT_DOMAIN_exit )
    {
        receipt_bytes = ((const struct xen_boot_domain_exit *)linear(argument, 0))->receipt_bytes;
        if ( fault )
            return fault->answer;
        __builtin_longjmp(exit_buffer, 1);
    }
    /* Not passed on: it would bind the cases that follow. */
    if ( command == XEN_BOOT_DOMAIN_drop )
        return fault ? fault->answer : 0;
    if ( command != XEN_BOOT_DOMAIN_copy && command != XEN_BOOT_DOMAIN_clear )
        return fault ? fault->answer : real_boot_domain_op(xen, command, argument);
    if ( !fault )
        return real_boot_domain_op(xen, command, argument);
    fill = linear(argument, sizeof(*fill));
    if ( fault->done < fill->nr_pages )
        fill->nr_pages = fault->done;
    if ( fault->done )
        real_boot_domain_op(xen, command, argument);
    return fault->answer;
}

#include "ballast.h"

static void show_receipt(void)
{
    uint32_t address = Z_dombZ_receipt(&domb);
    const uint8_t *receipt = linear(address, receipt_bytes);

    for ( uint32_t i = 0; i < receipt_bytes; i++ )
    {
        if ( !line_length )
            add_text("batch: receipt ");
        add_character("0123456789abcdef"[receipt[i] >> 4]);
        add_character("0123456789abcdef"[receipt[i] & 15]);
        if ( i % 48 == 47 || i + 1 == receipt_bytes )
            end_line();
    }
}

static void run_case(uint32_t number, const struct batch_case *batch_case, const uint8_t *module,
                     uint32_t kilohertz)
{
    hypercalls = left_count = receipt_bytes = 0;
    memset(occurrences, 0, sizeof(occurrences));
    memset(linear_memory, 0, sizeof(linear_memory));
    image = module + batch_case->image_offset;
    image_bytes = batch_case->image_bytes;
    case_trust = module + batch_case->trust_offset;

    Z_domb_instantiate(&domb, 0, 0);
    if ( !__builtin_setjmp(exit_buffer) )
    {
        Z_dombZ_launch(&domb, (uintptr_t)linear_memory, (uintptr_t)image / PAGE_SIZE, image_bytes,
                       kilohertz, MACHINE);
        add_text("batch: no exit");
        end_line();
    }

    show_receipt();
    add_text("batch: case ");
    add_number(number);
    add_text(" hypercalls ");
    add_number(hypercalls);
    add_text(" running");
    for ( uint32_t i = 0; i < left_count; i++ )
        if ( left[i].started )
        {
            add_character(' ');
            add_number(left[i].domid);
        }
    end_line();
    while ( left_count )
    {
        uint16_t domid = left[left_count - 1].domid;

        destroy(domid);
        note_destroyed(domid);
    }
}

/* The stack below `start` is painted first; what lost its paint was used. */
#define PAINT        0xa5
#define PAINTED      (STACK_BYTES - 1024)

static void paint_stack(uint8_t *top)
{
    for ( unsigned int i = 256; i < PAINTED; i++ )
        *(volatile uint8_t *)(top - i) = PAINT;
}

static unsigned int used_stack(const uint8_t *top)
{
    unsigned int used = PAINTED - 1;

    while ( used > 256 && *(const volatile uint8_t *)(top - used) == PAINT )
        used--;
    return used;
}

/* Launches every case of the module, then exits as a boot domain does. */
void start(START_PARAMETERS)
{
    uint8_t *top = __builtin_dwarf_cfa();
    uint32_t kilohertz;
    const uint8_t *module = begin(START_ARGUMENTS, &kilohertz);
    const struct batch_header *header = (const void *)module;
    const struct batch_case *cases = (const void *)(header + 1);
    const struct batch_fault *all_faults = (const void *)(cases + header->cases);
    struct xen_boot_domain_exit end = { 0 };
    uint64_t room = 0;

    paint_stack(top);
    Z_domb_init_module();
    if ( header->room_pages )
        room = take_memory(header->room_pages);

    for ( uint32_t i = 0; i < header->cases; i++ )
    {
        faults = all_faults + cases[i].first_fault;
        fault_count = cases[i].faults;
        if ( header->room_pages )
        {
            create_ballast(CASE_BALLAST, 1024);
            if ( cases[i].free_pages < room )
                load_ballast(CASE_BALLAST, 0, room - cases[i].free_pages, 0);
        }
        run_case(i, &cases[i], module, kilohertz);
        if ( header->room_pages )
        {
            uint64_t now;

            destroy(CASE_BALLAST);
            create_ballast(CASE_BALLAST, 1024);
            now = load_ballast(CASE_BALLAST, 0, ~0U, 0);
            destroy(CASE_BALLAST);
            if ( now != room )
            {
                add_text("batch: lost pages ");
                add_number(room > now ? room - now : 0);
                end_line();
                room = now;
            }
        }
    }
    add_text("batch: stack ");
    add_number(used_stack(top));
    end_line();
    hypercall(__HYPERVISOR_boot_domain_op, XEN_BOOT_DOMAIN_exit, (unsigned long)&end, 0);
    crash();
}
