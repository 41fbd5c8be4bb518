/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Xen loads this as an Image (Linux, Documentation/arm64/booting.rst) to the start of the boot
 * domain's RAM, and enters it at EL1, MMU and caches off, interrupts masked, with the address of the
 * launch image in x0 and its size in x1. The way to C, with the 3 GiB from RAM's start mapped one to
 * one, of which only the first 2 MiB, where the boot domain itself lies, may execute.
 */
#define PAGE_BYTES      4096
#define IMAGE_FLAGS     0xa         /* little-endian, pages of 4 KiB, anywhere in memory */
#define TABLE           3
#define BLOCK           0x701       /* used, inner shareable, attributes 0 of MAIR, EL1 may write */
#define NOT_AT_EL0      (1 << 54)
#define NOT_AT_EL1      (1 << 53)
#define MAIR            0xff        /* attributes 0: normal memory, write-back */
#define TCR             0x100803520 /* 4 GiB in pages of 4 KiB, tables write-back, 36-bit addresses */
#define SCTLR           0x30d01805  /* MMU, data and instruction cache on */

        .section .text.entry, "ax"
        .globl  header, trust, crash
header:
        b       entry
        .long   0
        .quad   0                           /* offset from RAM's start */
        .quad   bss_end - GUEST_RAM         /* size in memory */
        .quad   IMAGE_FLAGS
        .quad   0, 0, 0
        .ascii  "ARM\x64"
        .long   0

        /* Whom the boot domain trusts, as an ELF note would say it; domb fills it in. */
        .long   2f - 1f, TRUST_BYTES, TRUST_NOTE
1:      .asciz  "domb"
2:      .balign 4
trust:  .skip   TRUST_BYTES

        .balign 4
entry:
        /* What is written with the caches off must not meet older lines of theirs. */
        ldr     x2, =bss_start
        ldr     x3, =bss_end
1:      stp     xzr, xzr, [x2]
        dc      ivac, x2
        add     x2, x2, #16
        cmp     x2, x3
        b.lo    1b

        ldr     x2, =gigabytes
        ldr     x3, =megabytes
        add     x4, x3, #TABLE
        str     x4, [x2, #8]
        ldr     x5, =BLOCK | NOT_AT_EL0
        ldr     x4, =GUEST_RAM
        orr     x4, x4, x5
        str     x4, [x3]
        orr     x4, x4, #NOT_AT_EL1
        mov     x5, #511
2:      add     x4, x4, #0x200000
        add     x3, x3, #8
        str     x4, [x3]
        subs    x5, x5, #1
        b.ne    2b
        add     x4, x4, #0x200000
        mov     x5, #0x40000000
        str     x4, [x2, #16]
        add     x4, x4, x5
        str     x4, [x2, #24]

        mov     x4, #MAIR
        msr     mair_el1, x4
        ldr     x4, =TCR
        msr     tcr_el1, x4
        msr     ttbr0_el1, x2
        ldr     x4, =header
        msr     vbar_el1, x4
        dsb     sy
        tlbi    vmalle1
        dsb     sy
        isb
        ldr     x4, =SCTLR
        msr     sctlr_el1, x4
        isb
        ldr     x4, =stack_end
        mov     sp, x4
        b       start

        /* No way on: PSCI's SYSTEM_OFF, without an Exit Boot Services before it. */
crash:
        ldr     w0, =0x84000008
        hvc     #0
        b       crash
        .ltorg

        /* VBAR is the header's address: these are the vectors of EL1's own faults, all fatal. */
        .org    0x200
        b       crash
        .org    0x280
        b       crash
        .org    0x300
        b       crash
        .org    0x380
        b       crash

        .bss
        .balign PAGE_BYTES
gigabytes:      .skip PAGE_BYTES
megabytes:      .skip PAGE_BYTES
                .skip STACK_BYTES
stack_end:

        .section .note.GNU-stack, "", %progbits
