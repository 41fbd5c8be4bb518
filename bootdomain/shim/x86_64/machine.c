/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the boot domain's wasm imports, on x86-64: the image in memory, the clock, and
 * Xen's hypercalls. Every address that comes from the wasm is checked once more here.
 */
#include <stdint.h>

#include <public/xen.h>
#include <public/arch-x86/cpuid.h>
#include <public/arch-x86/hvm/start_info.h>

#include "contract.h"
#include "domb.h"

static Z_domb_instance_t domb;
static uint8_t linear_memory[LINEAR_MEMORY_BYTES] __attribute__((aligned(4096)));
static const uint8_t *image;
static uint32_t image_bytes;

extern uint8_t hypercall_page[];
extern const uint8_t trust[TRUST_BYTES];

static long hypercall(unsigned int number, unsigned long a, unsigned long b, unsigned long c)
{
    long result;

    asm volatile ("call *%[entry]"
                  : "=a" (result), "+D" (a), "+S" (b), "+d" (c)
                  : [entry] "r" (hypercall_page + number * 32)
                  : "memory", "rcx", "r8", "r9", "r10", "r11");
    return result;
}

/* A fault of the boot domain's own: without handlers a second and a third follow, and Xen ends it. */
static void __attribute__((noreturn)) crash(void)
{
    __builtin_trap();
}

/* As <string.h>; the compiler calls them too. */
void *memcpy(void *destination, const void *source, size_t bytes)
{
    void *to = destination;
    size_t words = bytes / 8, rest = bytes % 8;

    asm volatile ("rep movsq" : "+D" (to), "+S" (source), "+c" (words) :: "memory");
    asm volatile ("rep movsb" : "+D" (to), "+S" (source), "+c" (rest) :: "memory");
    return destination;
}

void *memset(void *destination, int value, size_t bytes)
{
    void *to = destination;
    size_t words = bytes / 8, rest = bytes % 8;
    uint64_t pattern = (uint8_t)value * 0x0101010101010101UL;

    asm volatile ("rep stosq" : "+D" (to), "+c" (words) : "a" (pattern) : "memory");
    asm volatile ("rep stosb" : "+D" (to), "+c" (rest) : "a" (pattern) : "memory");
    return destination;
}

/* The address of `bytes` bytes at an offset of an area, if they lie in it. */
static uintptr_t within(const void *area, uint32_t size, uint32_t offset, uint32_t bytes)
{
    if ( offset > size || bytes > size - offset )
        crash();
    return (uintptr_t)area + offset;
}

static void *linear(uint32_t address, uint32_t bytes)
{
    return (void *)within(linear_memory, sizeof(linear_memory), address, bytes);
}

static const void *image_at(uint32_t offset, uint32_t bytes)
{
    return (const void *)within(image, image_bytes, offset, bytes);
}

void Z_machineZ_imageRead(struct Z_machine_instance_t *machine, u32 offset, u32 destination,
                          u32 bytes)
{
    memcpy(linear(destination, bytes), image_at(offset, bytes), bytes);
}

void Z_machineZ_trustRead(struct Z_machine_instance_t *machine, u32 destination)
{
    memcpy(linear(destination, TRUST_BYTES), trust, TRUST_BYTES);
}

u64 Z_machineZ_clock(struct Z_machine_instance_t *machine)
{
    uint32_t low, high;

    asm volatile ("rdtsc" : "=a" (low), "=d" (high));
    return (uint64_t)high << 32 | low;
}

u32 Z_xenZ_domctl(struct Z_xen_instance_t *xen, u32 argument)
{
    return hypercall(__HYPERVISOR_domctl, (unsigned long)linear(argument, 0), 0, 0);
}

u32 Z_xenZ_memoryOp(struct Z_xen_instance_t *xen, u32 command, u32 argument)
{
    return hypercall(__HYPERVISOR_memory_op, command, (unsigned long)linear(argument, 0), 0);
}

u32 Z_xenZ_consoleWrite(struct Z_xen_instance_t *xen, u32 text, u32 bytes)
{
    return hypercall(__HYPERVISOR_console_io, CONSOLEIO_write, bytes,
                     (unsigned long)linear(text, bytes));
}

u32 Z_xenZ_xsmOp(struct Z_xen_instance_t *xen, u32 argument)
{
    return hypercall(__HYPERVISOR_xsm_op, (unsigned long)linear(argument, 0), 0, 0);
}

u32 Z_xenZ_bootDomainOp(struct Z_xen_instance_t *xen, u32 command, u32 argument)
{
    return hypercall(__HYPERVISOR_boot_domain_op, command, (unsigned long)linear(argument, 0), 0);
}

/* wasm2c's runtime: one memory of fixed size, no table, and no way on after a trap. */
void wasm_rt_allocate_memory(wasm_rt_memory_t *memory, uint32_t pages, uint32_t max_pages)
{
    memory->data = linear_memory;
    memory->size = sizeof(linear_memory);
}

uint32_t wasm_rt_register_func_type(uint32_t parameters, uint32_t results, ...)
{
    return 0;
}

void wasm_rt_trap(wasm_rt_trap_t code)
{
    crash();
}

static void cpuid(uint32_t leaf, uint32_t registers[4])
{
    asm volatile ("cpuid"
                  : "=a" (registers[0]), "=b" (registers[1]), "=c" (registers[2]),
                    "=d" (registers[3])
                  : "a" (leaf), "c" (0));
}

/* Xen's CPUID leaves tell where to ask for the hypercall page, and the clock's frequency. */
void start(const struct hvm_start_info *info)
{
    const struct hvm_modlist_entry *module = (const void *)info->modlist_paddr;
    uint32_t leaf[4];

    cpuid(XEN_CPUID_LEAF(2), leaf);
    asm volatile ("wrmsr" :: "c" (leaf[1]), "a" ((uint32_t)(uintptr_t)hypercall_page), "d" (0)
                  : "memory");
    if ( info->nr_modules != 0 )
    {
        image = (const void *)module->paddr;
        image_bytes = module->size > MAX_IMAGE_BYTES ? MAX_IMAGE_BYTES : module->size;
    }
    if ( (uintptr_t)image % PAGE_SIZE != 0 )
        crash();
    cpuid(XEN_CPUID_LEAF(3), leaf);
    Z_domb_init_module();
    Z_domb_instantiate(&domb, 0, 0);
    Z_dombZ_launch(&domb, (uintptr_t)linear_memory, (uintptr_t)image / PAGE_SIZE, image_bytes,
                   leaf[2]);
    crash();
}
