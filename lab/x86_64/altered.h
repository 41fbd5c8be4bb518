/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests' boot domains need to know of x86-64. Comes after the shim's machine.c. */
#define MACHINE              MACHINE_X86_64
#define XEN_DOMCTL_setcontext XEN_DOMCTL_sethvmcontext

/* What start() of the shim is given. */
#define START_PARAMETERS     const struct hvm_start_info *info
#define START_ARGUMENTS      info

/* The architecture's part of a domain's creation, as a launch has it. */
#define PLAIN_ARCH           { .emulation_flags = XEN_X86_EMU_LAPIC }

/* Any hypercall number, by the instruction itself. */
static long any_hypercall(unsigned long number, unsigned long a, unsigned long b, unsigned long c)
{
    register unsigned long r10 asm ("r10") = 0, r8 asm ("r8") = 0;
    long result;

    asm volatile ("vmmcall"
                  : "=a" (result), "+D" (a), "+S" (b), "+d" (c), "+r" (r10), "+r" (r8)
                  : "a" (number) : "memory", "rcx", "r9", "r11");
    return result;
}

/* As the shim's start() does: prepares hypercalls, and finds the module and the clock's frequency. */
static const uint8_t *begin(START_PARAMETERS, uint32_t *kilohertz)
{
    const struct hvm_modlist_entry *module = (const void *)info->modlist_paddr;
    uint32_t leaf[4];

    cpuid(XEN_CPUID_LEAF(2), leaf);
    asm volatile ("wrmsr" :: "c" (leaf[1]), "a" ((uint32_t)(uintptr_t)hypercall_page), "d" (0)
                  : "memory");
    cpuid(XEN_CPUID_LEAF(3), leaf);
    *kilohertz = leaf[2];
    return (const void *)module->paddr;
}
