/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replays recorded launches with the boot domain's C: every import must be passed what the
 * wasm passed, and is given what the wasm was given; receipt and memory must be left the same.
 * Recordings come on stdin, in the form that record.ts describes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "contract.h"
#include "domb.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "recordings are little-endian");

enum import {
    CLOCK, IMAGE_READ, TRUST_READ, DOMCTL, SYSCTL, MEMORY_OP, CONSOLE_WRITE, XSM_OP, BOOT_DOMAIN_OP,
    IMPORTS
};
static const char *const import_names[IMPORTS] = {
    "clock", "imageRead", "trustRead", "domctl", "sysctl", "memoryOp", "consoleWrite", "xsmOp",
    "bootDomainOp",
};

/* How a launch left the boot domain; 0 is its beginning. */
enum left { EXITED = 1, DIFFERENT };

static Z_domb_instance_t domb;
static jmp_buf leave;
static uint8_t *image;
static uint32_t image_bytes;
static uint8_t *linear_memory;
static uint32_t linear_memory_bytes;

/* What is still to read of the recording that is replayed. */
static const uint8_t *cursor, *end;
static uint32_t exits;

/* Where the replay is: it runs in a child, and its parent tells this if the child dies. */
static struct {
    char name[200];
    uint32_t calls, call;
    bool ended;
} *at;

/* For tests of the sanitizers: linear memory is smaller than it says, or beyond all addresses. */
static unsigned long missing_bytes;
static bool wraps;

static void __attribute__((noreturn)) fail(const char *message)
{
    fprintf(stderr, "replay: %s\n", message);
    exit(2);
}

static void __attribute__((noreturn, format(printf, 1, 2))) differ(const char *format, ...)
{
    va_list values;

    printf("%s: call %u of %u: ", at->name, at->call, at->calls);
    va_start(values, format);
    vprintf(format, values);
    va_end(values);
    printf("\n");
    longjmp(leave, DIFFERENT);
}

static const uint8_t *take(uint32_t bytes)
{
    const uint8_t *taken = cursor;

    if ( bytes > end - cursor )
        fail("a recording is too short");
    cursor += bytes;
    return taken;
}

static uint32_t take_u32(void)
{
    uint32_t value;

    memcpy(&value, take(sizeof(value)), sizeof(value));
    return value;
}

static uint64_t take_u64(void)
{
    uint64_t value;

    memcpy(&value, take(sizeof(value)), sizeof(value));
    return value;
}

/* Linear memory, as an import of the boot domain's kernel checks it. */
static uint8_t *linear(uint32_t address, uint32_t bytes)
{
    if ( address > linear_memory_bytes || bytes > linear_memory_bytes - address )
        differ("%u bytes at 0x%x are not in linear memory", bytes, address);
    return linear_memory + address;
}

static void compare(const char *what, uint32_t address, const uint8_t *recorded, uint32_t bytes)
{
    const uint8_t *there = linear(address, bytes);

    for ( uint32_t i = 0; i < bytes; i++ )
        if ( there[i] != recorded[i] )
            differ("%s: byte %u of %u at 0x%x is 0x%02x, recorded 0x%02x", what, i, bytes,
                   address, there[i], recorded[i]);
}

/* One call of an import: compares what it is passed, and returns the recorded answer. */
static uint64_t import(enum import number, uint32_t first, uint32_t second, uint32_t third)
{
    const char *what = import_names[number];
    uint32_t recorded, words[3] = { first, second, third };
    uint64_t answer;

    if ( at->call == at->calls )
        differ("%s is one call more than recorded", what);
    at->call++;
    recorded = take_u32();
    if ( recorded >= IMPORTS )
        fail("a recording has an import that there is not");
    if ( recorded != number )
        differ("it is %s, recorded %s", what, import_names[recorded]);
    for ( int i = 0; i < 3; i++ )
        if ( (recorded = take_u32()) != words[i] )
            differ("%s: argument %d is 0x%x, recorded 0x%x", what, i + 1, words[i], recorded);
    for ( uint32_t areas = take_u32(); areas != 0; areas-- )
    {
        uint32_t address = take_u32(), bytes = take_u32();

        compare(what, address, take(bytes), bytes);
    }
    answer = take_u64();
    for ( uint32_t areas = take_u32(); areas != 0; areas-- )
    {
        uint32_t address = take_u32(), bytes = take_u32();

        memcpy(linear(address, bytes), take(bytes), bytes);
    }
    if ( exits && at->call == at->calls )
        longjmp(leave, EXITED);
    return answer;
}

u64 Z_machineZ_clock(struct Z_machine_instance_t *machine)
{
    return import(CLOCK, 0, 0, 0);
}

void Z_machineZ_imageRead(struct Z_machine_instance_t *machine, u32 offset, u32 destination,
                          u32 bytes)
{
    import(IMAGE_READ, offset, destination, bytes);
    if ( offset > image_bytes || bytes > image_bytes - offset )
        differ("%u bytes at 0x%x are not in the image", bytes, offset);
    memcpy(linear(destination, bytes), image + offset, bytes);
}

void Z_machineZ_trustRead(struct Z_machine_instance_t *machine, u32 destination)
{
    import(TRUST_READ, destination, 0, 0);
}

u32 Z_xenZ_domctl(struct Z_xen_instance_t *xen, u32 argument)
{
    return import(DOMCTL, argument, 0, 0);
}

u32 Z_xenZ_sysctl(struct Z_xen_instance_t *xen, u32 argument)
{
    return import(SYSCTL, argument, 0, 0);
}

u32 Z_xenZ_memoryOp(struct Z_xen_instance_t *xen, u32 command, u32 argument)
{
    return import(MEMORY_OP, command, argument, 0);
}

u32 Z_xenZ_consoleWrite(struct Z_xen_instance_t *xen, u32 text, u32 bytes)
{
    return import(CONSOLE_WRITE, text, bytes, 0);
}

u32 Z_xenZ_xsmOp(struct Z_xen_instance_t *xen, u32 argument)
{
    return import(XSM_OP, argument, 0, 0);
}

u32 Z_xenZ_bootDomainOp(struct Z_xen_instance_t *xen, u32 command, u32 argument)
{
    return import(BOOT_DOMAIN_OP, command, argument, 0);
}

void wasm_rt_allocate_memory(wasm_rt_memory_t *memory, uint32_t pages, uint32_t max_pages)
{
    if ( (uint64_t)pages * 0x10000 != linear_memory_bytes || max_pages != pages )
        differ("linear memory has %u to %u pages", pages, max_pages);
    memory->data = wraps ? (uint8_t *)UINTPTR_MAX : linear_memory;
    memory->size = linear_memory_bytes;
}

void wasm_rt_free_memory(wasm_rt_memory_t *memory)
{
}

uint32_t wasm_rt_register_func_type(uint32_t parameters, uint32_t results, ...)
{
    return 0;
}

void wasm_rt_trap(wasm_rt_trap_t code)
{
    differ("trap %d", code);
}

/* An area of its very size, so that a sanitizer sees what lies outside. */
static uint8_t *allocate(size_t bytes)
{
    uint8_t *area = malloc(bytes);

    if ( area == NULL && bytes != 0 )
        fail("no memory");
    return area;
}

static void compare_end(const uint8_t *receipt, uint32_t address, uint32_t bytes, uint32_t recorded)
{
    uint32_t hash = 0x811c9dc5, word;

    if ( at->call != at->calls )
        differ("it is the last, recorded %u more", at->calls - at->call);
    if ( Z_dombZ_receipt(&domb) != address )
        differ("the receipt is at 0x%x, recorded 0x%x", Z_dombZ_receipt(&domb), address);
    compare("receipt", address, receipt, bytes);
    for ( uint32_t i = 0; i < linear_memory_bytes; i += sizeof(word) )
    {
        memcpy(&word, linear_memory + i, sizeof(word));
        hash = (hash ^ word) * 0x01000193;
    }
    if ( hash != recorded )
        differ("linear memory's hash is 0x%08x, recorded 0x%08x", hash, recorded);
}

/* Replays the recording at the cursor; returns whether it is the same. */
static bool replay(void)
{
    uint64_t memory_base, image_frame;
    uint32_t clock_kilohertz, machine, receipt_address, receipt_bytes, memory_hash, name_bytes;
    const uint8_t *receipt;
    bool same;

    name_bytes = take_u32();
    snprintf(at->name, sizeof(at->name), "%.*s", (int)name_bytes, (const char *)take(name_bytes));
    image_bytes = take_u32();
    image = allocate(image_bytes);
    if ( image_bytes != 0 )
        memcpy(image, take(image_bytes), image_bytes);
    linear_memory_bytes = take_u32();
    if ( linear_memory_bytes != LINEAR_MEMORY_BYTES || missing_bytes > linear_memory_bytes )
        fail("linear memory has another size than the boot domain's");
    linear_memory = allocate(linear_memory_bytes - missing_bytes);
    memset(linear_memory, 0, linear_memory_bytes - missing_bytes);
    memory_base = take_u64();
    image_frame = take_u64();
    clock_kilohertz = take_u32();
    machine = take_u32();
    exits = take_u32();
    receipt_address = take_u32();
    receipt_bytes = take_u32();
    receipt = take(receipt_bytes);
    memory_hash = take_u32();
    at->calls = take_u32();
    at->call = 0;
    memset(&domb, 0, sizeof(domb));

    switch ( setjmp(leave) )
    {
    case 0:
        Z_domb_instantiate(&domb, 0, 0);
        Z_dombZ_launch(&domb, memory_base, image_frame, image_bytes, clock_kilohertz,
                       machine);
        if ( exits )
            differ("the launch returned, recorded that it exits");
        /* fall through */
    case EXITED:
        compare_end(receipt, receipt_address, receipt_bytes, memory_hash);
        same = true;
        break;
    default:
        same = false;
    }
    free(image);
    free(linear_memory);
    return same;
}

/* Replays all of stdin; returns whether every launch is the same. */
static bool replay_all(void)
{
    unsigned long launches = 0, imports = 0, different = 0;
    uint32_t bytes;

    setvbuf(stdout, NULL, _IOLBF, 0);
    Z_domb_init_module();
    while ( fread(&bytes, 1, sizeof(bytes), stdin) == sizeof(bytes) )
    {
        uint8_t *recording = allocate(bytes);

        if ( fread(recording, 1, bytes, stdin) != bytes )
            fail("the last recording is cut");
        cursor = recording;
        end = recording + bytes;
        different += !replay();
        launches++;
        imports += at->call;
        free(recording);
    }
    if ( different == 0 )
        printf("%lu launches, %lu imports: the same\n", launches, imports);
    else
        printf("%lu of %lu launches differ\n", different, launches);
    return different == 0;
}

int main(int count, char **arguments)
{
    pid_t child;
    int status;

    if ( count == 3 && strcmp(arguments[1], "--missing-bytes") == 0 )
        missing_bytes = strtoul(arguments[2], NULL, 0);
    else if ( count == 2 && strcmp(arguments[1], "--wraps") == 0 )
        wraps = true;
    else if ( count != 1 )
        fail("recordings are read from stdin, and there are no arguments");
    at = mmap(NULL, sizeof(*at), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if ( at == MAP_FAILED || (child = fork()) < 0 )
        fail("no memory");
    if ( child == 0 )
    {
        bool same = replay_all();

        at->ended = true;
        return same ? 0 : 1;
    }
    if ( waitpid(child, &status, 0) == child && at->ended && WIFEXITED(status) )
        return WEXITSTATUS(status);
    printf("%s: call %u of %u: the boot domain ended with status 0x%x\n", at->name, at->call,
           at->calls, status);
    return 1;
}
