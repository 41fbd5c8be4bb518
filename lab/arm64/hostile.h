/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attempts that there are on arm64: kinds of domains, CPU contexts, and the hardware: interrupt
 * controller, system registers, firmware calls, device memory. Part of hostile.c.
 */
#include <public/arch-arm.h>

#include "../../guests/arm64/faults.h"

#define ODD        5U
#define EL1_MASKED PSR_GUEST64_INIT
#define MODE_MASK  0x1fU

/* A gigabyte: used, attributes 1 of MAIR, never executed. */
#define DEVICES    0x60000000000405UL

#define GICD_ISENABLER1 (GUEST_GICV3_GICD_BASE + 0x104)
#define GICR_TYPER      (GUEST_GICV3_GICR0_BASE + 0x8)

static void kinds(void)
{
    say("create_gic_native",
        (plain(0)->arch.gic_version = XEN_DOMCTL_CONFIG_GIC_NATIVE, create(UNUSED)));
    say("create_gic_other", (plain(0)->arch.gic_version = XEN_DOMCTL_CONFIG_GIC_V2, create(UNUSED)));
    say("create_gic_unknown", (plain(0)->arch.gic_version = 99, create(UNUSED)));
    say("create_tee", (plain(0)->arch.tee_type = XEN_DOMCTL_CONFIG_TEE_OPTEE, create(UNUSED)));
    say("create_many_spis", (plain(0)->arch.nr_spis = 961, create(UNUSED)));
    say("create_clock", (plain(0)->arch.clock_frequency = 1000000, create(UNUSED)));
    say("create_uart_without_interrupt", create_with(UNUSED, XEN_DOMCTL_CDF_xen_log));
    memset(&op, 0, sizeof(op));
    op.u.address_size.size = 32;
    say("address_size", domctl(XEN_DOMCTL_set_address_size, MINE));
}

static struct vcpu_guest_context context;

static long set_context(uint32_t vcpu, uint64_t cpsr)
{
    context.user_regs.cpsr = cpsr;
    memset(&op, 0, sizeof(op));
    op.u.vcpucontext.vcpu = vcpu;
    set_xen_guest_handle(op.u.vcpucontext.ctxt, &context);
    return domctl(XEN_DOMCTL_setvcpucontext, ODD);
}

static void contexts(void)
{
    create_with(ODD, 0);
    say("context_no_vcpu", set_context(0, EL1_MASKED));
    say("start_without_vcpu", domctl(XEN_DOMCTL_unpausedomain, ODD));
    memset(&op, 0, sizeof(op));
    op.u.max_vcpus.max = 1;
    domctl(XEN_DOMCTL_max_vcpus, ODD);
    say("context_other_vcpu", set_context(1, EL1_MASKED));
    say("context_el2", set_context(0, (EL1_MASKED & ~MODE_MASK) | PSR_MODE_EL2h));
    say("context_el3", set_context(0, (EL1_MASKED & ~MODE_MASK) | PSR_MODE_EL3h));
    say("context_32_bit", set_context(0, PSR_GUEST32_INIT));
    memset(&op, 0, sizeof(op));
    set_xen_guest_handle(op.u.vcpucontext.ctxt, (vcpu_guest_context_t *)NOWHERE);
    say("context_bad_pointer", domctl(XEN_DOMCTL_setvcpucontext, ODD));
    context.user_regs.spsr_el1 = (EL1_MASKED & ~MODE_MASK) | PSR_MODE_EL2h;
    say("context_return_to_el2", set_context(0, EL1_MASKED));
    memset(&context, 0xff, sizeof(context));
    context.user_regs.spsr_el1 = 0;
    /* MMU off: faults of its own alone would be no instructions, and time in QEMU counts those. */
    context.sctlr &= ~1UL;
    say("context_wild", set_context(0, (~0UL & ~(uint64_t)MODE_MASK) | PSR_MODE_EL1h));
    say("context_wild_start", domctl(XEN_DOMCTL_unpausedomain, ODD));
    say("context_after_start", set_context(0, EL1_MASKED));
    say("context_wild_undo", domctl(XEN_DOMCTL_destroydomain, ODD));
}

/* What is read; -1: the register is not there. */
#define READ(register)                                                               \
    ({                                                                               \
        uint64_t value_ = 0;                                                         \
        faulted = 0;                                                                 \
        asm volatile ("mrs %0, " register "; nop" : "+r" (value_) :: "memory");      \
        faulted ? -1L : (long)value_;                                                \
    })

/* 0: it could be done. */
#define DO(instruction, value)                                                       \
    ({                                                                               \
        faulted = 0;                                                                 \
        asm volatile (instruction "; nop" :: "r" ((uint64_t)(value)) : "memory");    \
        faulted ? -1L : 0L;                                                          \
    })

#define WRITE(register, value) DO("msr " register ", %0", value)

/* A call of firmware, by one of its instructions; -1: it is not there. */
#define FIRMWARE(instruction, function, a, b)                                        \
    ({                                                                               \
        register uint64_t x0_ asm ("x0") = (function), x1_ asm ("x1") = (a);         \
        register uint64_t x2_ asm ("x2") = (b), x3_ asm ("x3") = 0;                  \
        faulted = 0;                                                                 \
        asm volatile (instruction "; nop"                                            \
                      : "+r" (x0_), "+r" (x1_), "+r" (x2_), "+r" (x3_)               \
                      :: "memory", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", \
                         "x12", "x13", "x14", "x15", "x16", "x17");                  \
        faulted ? -1L : (long)(int32_t)x0_;                                          \
    })

static volatile uint32_t *device(uint64_t address)
{
    return (volatile uint32_t *)address;
}

/* The boot domain itself maps RAM alone: maps what lies below it as devices, in its first table. */
static void map_devices(void)
{
    uint64_t *table;

    asm ("mrs %0, ttbr0_el1" : "=r" (table));
    *(volatile uint64_t *)table = DEVICES;
    asm volatile ("dsb sy; isb" ::: "memory");
}

static void interrupt_controller(void)
{
    *device(GICD_ISENABLER1) = ~0U;
    say("gic_enable_host_interrupts", *device(GICD_ISENABLER1));
    say("gic_message_interrupts", *device(GICR_TYPER) & 1);
    say("gic_interrupt_others", WRITE("S3_0_C12_C11_5", 1UL << 40));
    say("gic_interrupt_secure", WRITE("S3_0_C12_C11_7", 1UL << 40));
    say("gic_hypervisor_control", READ("S3_4_C12_C11_0"));
}

static void system_registers(void)
{
    say("register_hypervisor", READ("hcr_el2"));
    say("register_translation", WRITE("vttbr_el2", 0));
    say("register_clock_offset", WRITE("cntvoff_el2", 0));
    say("register_clock_frequency", WRITE("cntfrq_el0", 1000));
    say("register_secure", READ("scr_el3"));
    say("register_secure_timer", WRITE("cntps_ctl_el1", 1));
    say("register_auxiliary", WRITE("actlr_el1", ~0UL));
    WRITE("pmcr_el0", 1);
    WRITE("pmcntenset_el0", 1UL << 31);
    say("register_cycle_counter", READ("pmccntr_el0"));
    WRITE("dbgbcr0_el1", 0x1e5);
    say("register_breakpoint", READ("dbgbcr0_el1"));
    WRITE("mdscr_el1", 1UL << 15);
    say("register_debug_control", READ("mdscr_el1"));
    say("cache_by_set_and_way", DO("dc cisw, %0", 0));
    say("flush_all_translations", DO("tlbi alle1", 0));
    say("translate_for_hypervisor", DO("at s1e2r, %0", 0));
}

static void firmware(void)
{
    say("hvc_other", FIRMWARE("hvc #0xea2", 0, 0, 0));
    say("smc_other", FIRMWARE("smc #1", 0x84000000, 0, 0));
    say("smc_platform", FIRMWARE("smc #0", 0xc2000001, 0, 0));
    say("smc_trusted_application", FIRMWARE("smc #0", 0xb0000000, 0, 0));
    say("smc_trusted_os", FIRMWARE("smc #0", 0xb2000001, 0, 0));
    say("smc_cpu", FIRMWARE("smc #0", 0x81000000, 0, 0));
    say("psci_cpu_on", FIRMWARE("hvc #0", 0xc4000003, 1, GUEST_RAM0_BASE));
    say("psci_cpu_on_self", FIRMWARE("hvc #0", 0xc4000003, 0, GUEST_RAM0_BASE));
    say("psci_system_suspend", FIRMWARE("hvc #0", 0xc400000e, GUEST_RAM0_BASE, 0));
    say("psci_memory_protection", FIRMWARE("hvc #0", 0x84000013, 0, 0));
    say("psci_host_cpu_on", FIRMWARE("smc #0", 0xc4000003, 1, GUEST_RAM0_BASE));
}

static void hardware(void)
{
    skip_faults();
    map_devices();
    interrupt_controller();
    system_registers();
    firmware();
}

/* What ends it at once: PSCI's SYSTEM_RESET and CPU_OFF, and device memory. */
static void end_by_hardware(unsigned int ending)
{
    if ( ending == 3 )
        FIRMWARE("hvc #0", 0x84000009, 0, 0);
    if ( ending == 4 )
        FIRMWARE("hvc #0", 0x84000002, 0, 0);
#ifdef ADDRESS
    skip_faults();
    map_devices();
    say("device_memory", *device(ADDRESS));
#endif
}
