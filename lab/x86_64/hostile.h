/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attempts that there are on x86-64: kinds of domains, CPU contexts, and the hardware: I/O ports,
 * device memory, model-specific registers. Part of hostile.c.
 */
#include <public/hvm/save.h>

static void kinds(void)
{
    say("create_devices", (plain(0)->arch.emulation_flags = 0x3ff, create(UNUSED)));
    say("create_relaxed_msrs", (plain(0)->arch.misc_flags = 1, create(UNUSED)));
}

static void contexts(void)
{
    static struct {
        struct hvm_save_descriptor first;
        struct hvm_save_header header;
        struct hvm_save_descriptor second;
        uint8_t body[64];
    } __attribute__((packed)) context = {
        .first = { HVM_SAVE_CODE(HEADER), 0, sizeof(struct hvm_save_header) },
        .header = { .magic = HVM_FILE_MAGIC, .version = HVM_FILE_VERSION },
        .second = { HVM_SAVE_CODE(PIT), 0, 64 },
    };

    memset(&op, 0, sizeof(op));
    op.u.hvmcontext.size = sizeof(context);
    set_xen_guest_handle(op.u.hvmcontext.buffer, (uint8_t *)&context);
    say("context_of_timer", domctl(XEN_DOMCTL_sethvmcontext, MINE));
}

/* Nothing of the hardware's ends it: a triple fault does, and that is no matter of the machine. */
static void end_by_hardware(unsigned int ending)
{
}

static struct { uint64_t low, high; } handlers[32] __attribute__((aligned(16)));
volatile bool faulted;

/* A general protection fault: skips the two bytes of rdmsr or wrmsr. */
asm (".globl protection_fault\n"
     "protection_fault:\n"
     "        movb $1, faulted(%rip)\n"
     "        addq $8, %rsp\n"
     "        addq $2, (%rsp)\n"
     "        iretq\n");
extern uint8_t protection_fault[];

static void handle_protection_faults(void)
{
    struct { uint16_t limit; uint64_t base; } __attribute__((packed)) table = {
        sizeof(handlers) - 1, (unsigned long)handlers,
    };
    uint64_t entry = (unsigned long)protection_fault;

    handlers[13].low = (entry & 0xffff) | 8UL << 16 | 0x8e00UL << 32 | (entry >> 16 & 0xffff) << 48;
    handlers[13].high = entry >> 32;
    asm volatile ("lidt %0" :: "m" (table));
}

static uint32_t port(uint16_t number)
{
    uint32_t value;

    asm volatile ("inl %1, %0" : "=a" (value) : "Nd" (number));
    return value;
}

static uint32_t device_memory(uint64_t address)
{
    return *(volatile uint32_t *)address;
}

/* 0: it could be read. */
static long read_register(uint32_t number)
{
    uint32_t low, high;

    faulted = false;
    asm volatile ("rdmsr" : "=a" (low), "=d" (high) : "c" (number) : "memory");
    return faulted ? -1 : 0;
}

static long write_register(uint32_t number, uint64_t value)
{
    faulted = false;
    asm volatile ("wrmsr" :: "c" (number), "a" ((uint32_t)value), "d" ((uint32_t)(value >> 32))
                  : "memory");
    return faulted ? -1 : 0;
}

static void hardware(void)
{
    handle_protection_faults();
    asm volatile ("outl %0, %1" :: "a" (0x80000000U), "Nd" ((uint16_t)0xcf8));
    say("port_pci_configuration", port(0xcfc));
    say("port_post_code", port(0x80));
    say("port_delay", port(0xed));
    say("port_serial", port(0x3f8));
    say("port_power_management", port(0x604));
    say("memory_io_apic", device_memory(0xfec00000));
    say("memory_hpet", device_memory(0xfed00000));
    say("memory_pci_configuration", device_memory(0xb0000000));
    say("memory_firmware", device_memory(0xfffff000));
    say("msr_microcode_update", write_register(0x79, 0x1000));
    say("msr_microcode_update_amd", write_register(0xc0010020, 0x1000));
    say("msr_power_state", write_register(0xc0010062, 0));
    say("msr_thermal", read_register(0x19c));
    say("msr_smm_base", read_register(0xc0010111));
    say("msr_smm_count", read_register(0x34));
    say("msr_virtualisation_host_save", write_register(0xc0010117, 0x1000));
    say("msr_energy", read_register(0x611));
    say("msr_debug_store", write_register(0x600, 0x1000));
    say("msr_memory_type", write_register(0xc0010015, ~0UL));
}
