/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the boot domain's wasm imports, on every architecture: the image in memory and Xen's
 * hypercalls. Every address that comes from the wasm is checked once more here. The machine.c that
 * includes this brings hypercall() and crash().
 */
static Z_domb_instance_t domb;
static uint8_t linear_memory[LINEAR_MEMORY_BYTES] __attribute__((aligned(4096)));
static const uint8_t *image;
static uint32_t image_bytes;

extern const uint8_t trust[TRUST_BYTES];

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

u32 Z_xenZ_domctl(struct Z_xen_instance_t *xen, u32 argument)
{
    return hypercall(__HYPERVISOR_domctl, (unsigned long)linear(argument, 0), 0, 0);
}

u32 Z_xenZ_sysctl(struct Z_xen_instance_t *xen, u32 argument)
{
    return hypercall(__HYPERVISOR_sysctl, (unsigned long)linear(argument, 0), 0, 0);
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

/* Launches the image at an address, 0 bytes if there is none. */
static void __attribute__((noreturn)) launch(uintptr_t address, uint64_t bytes, uint32_t kilohertz,
                                             uint32_t machine)
{
    if ( address % PAGE_SIZE != 0 )
        crash();
    image = (const void *)address;
    image_bytes = bytes > MAX_IMAGE_BYTES ? MAX_IMAGE_BYTES : bytes;
    Z_domb_init_module();
    Z_domb_instantiate(&domb, 0, 0);
    Z_dombZ_launch(&domb, (uintptr_t)linear_memory, address / PAGE_SIZE, image_bytes, kilohertz,
                   machine);
    crash();
}
