/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Started as the boot domain, it reads every I/O port, one byte each, and says by the debug port
 * whether any answers with other than all ones. Entered as guests/hello is.
 */
#include <public/elfnote.h>

#define DEBUG_PORT 0xe9

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
        xorl    %edx, %edx
1:      cmpl    $DEBUG_PORT, %edx
        je      2f
        inb     %dx, %al
        cmpb    $0xff, %al
        jne     3f
2:      incl    %edx
        cmpl    $0x10000, %edx
        jne     1b
        movl    $silent, %esi
        jmp     4f
3:      movl    $answers, %esi
4:      call    print
5:      cli
        hlt
        jmp     5b

/* Writes the characters at esi up to the first zero byte. */
print:
        lodsb
        testb   %al, %al
        jz      6f
        outb    %al, $DEBUG_PORT
        jmp     print
6:      ret

        .section .rodata
silent:  .asciz "ports: none answers\n"
answers: .asciz "ports: one answers\n"

        .bss
        .balign 16
        .skip   64
stack_end:

        .section .note.GNU-stack, "", @progbits
