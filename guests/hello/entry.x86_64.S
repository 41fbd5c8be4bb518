/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PVH kernel that is not Linux: it writes its command line and the examples' marker to Xen's log
 * by the debug port, and halts. Entered in 32-bit protected mode without paging, with the address
 * of struct hvm_start_info in ebx (xen/include/public/arch-x86/hvm/start_info.h).
 */
#include <public/elfnote.h>

#define DEBUG_PORT 0xe9
#define CMDLINE_PADDR 24

        .section .note.Xen, "a", @note
        .long 4, 4, XEN_ELFNOTE_PHYS32_ENTRY
        .asciz "Xen"
        .long entry

        .text
        .code32
        .globl entry
entry:
        cld
        movl    $stack_end, %esp
        movl    $greeting, %esi
        call    print
        movl    CMDLINE_PADDR(%ebx), %esi
        call    print
        movl    $marker, %esi
        call    print
1:      cli
        hlt
        jmp     1b

/* Writes the characters at esi up to the first zero byte. */
print:
        lodsb
        testb   %al, %al
        jz      2f
        outb    %al, $DEBUG_PORT
        jmp     print
2:      ret

        .section .rodata
greeting: .asciz "hello: "
marker:   .asciz "\ndomb: domain is up\n"

        .bss
        .balign 16
        .skip   64
stack_end:

        .section .note.GNU-stack, "", @progbits
