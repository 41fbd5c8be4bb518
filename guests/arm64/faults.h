/* SPDX-License-Identifier: Apache-2.0 */
/* Instructions that may fault at EL1: they are skipped, and `faulted` says so. */
volatile uint8_t faulted;

asm (".pushsection .text\n"
     "        .balign 2048\n"
     "fault_vectors:\n"
     "        .org    fault_vectors + 0x200\n"
     "        stp     x0, x1, [sp, #-16]!\n"
     "        ldr     x0, =faulted\n"
     "        mov     w1, #1\n"
     "        strb    w1, [x0]\n"
     "        mrs     x0, elr_el1\n"
     "        add     x0, x0, #4\n"
     "        msr     elr_el1, x0\n"
     "        ldp     x0, x1, [sp], #16\n"
     "        eret\n"
     "        .ltorg\n"
     "        .org    fault_vectors + 0x800\n"
     ".popsection\n");
extern uint8_t fault_vectors[];

static void skip_faults(void)
{
    asm volatile ("msr vbar_el1, %0; isb" :: "r" (fault_vectors));
}
