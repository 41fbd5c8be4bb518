/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the start of an Image (Linux, Documentation/arm64/booting.rst) at EL1, MMU and caches off, to
 * C, with the first 512 GiB mapped one to one: devices below RAM, memory above. x0 is passed on.
 */
#define IMAGE_FLAGS 0xa             /* little-endian, pages of 4 KiB, anywhere in memory */
#define GIGABYTE    0x40000000
#define DEVICES     0x60000000000405 /* used, attributes 1 of MAIR, never executed */
#define MEMORY      0x701           /* used, inner shareable, attributes 0 of MAIR */
#define MAIR        0xff            /* attributes 0: memory, write-back; 1: devices */
#define TCR         0x200803519     /* 512 GiB in pages of 4 KiB, 40-bit addresses */
#define SCTLR       0x30d01805      /* MMU, data and instruction cache on */
#define SYSTEM_OFF  0x84000008

        .section .text.header, "ax"
        .globl  header, turn_caches_on, memset
header:
        b       entry
        .long   0
        .quad   0                           /* offset from RAM's start */
        .quad   image_end - GUEST_RAM       /* size in memory */
        .quad   IMAGE_FLAGS
        .quad   0, 0, 0
        .ascii  "ARM\x64"
        .long   0

entry:
        bl      turn_caches_on
        ldr     x9, =stack_end
        mov     sp, x9
        bl      guest
1:      ldr     w0, =SYSTEM_OFF
        hvc     #0
        b       1b

turn_caches_on:
        mov     x9, #MAIR
        msr     mair_el1, x9
        ldr     x9, =TCR
        msr     tcr_el1, x9
        ldr     x9, =gigabytes
        msr     ttbr0_el1, x9
        dsb     sy
        tlbi    vmalle1
        dsb     sy
        isb
        ldr     x9, =SCTLR
        msr     sctlr_el1, x9
        isb
        ret

        /* As <string.h>: the compiler calls it. */
memset: mov     x9, x0
2:      cbz     x2, 3f
        strb    w1, [x9], #1
        sub     x2, x2, #1
        b       2b
3:      ret
        .ltorg

        /* In the file, so that nothing writes it while the caches are off. */
        .data
        .balign 4096
gigabytes:
        .quad   DEVICES
        .set    gigabyte, GIGABYTE
        .rept   511
        .quad   gigabyte + MEMORY
        .set    gigabyte, gigabyte + GIGABYTE
        .endr

        .bss
        .balign 16
        .skip   8192
stack_end:

        .section .note.GNU-stack, "", %progbits
