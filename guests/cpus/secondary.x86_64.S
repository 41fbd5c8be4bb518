/* SPDX-License-Identifier: Apache-2.0 */
/* Where vCPUs but the first start, in real mode and at SECONDARY_ADDRESS, on the way to 64-bit C. */
#include "stacks.h"

        .section .rodata
        .globl  secondary, secondary_end
        .code16
secondary:
        cli
        movw    %cs, %ax
        movw    %ax, %ds
        lgdtl   table_register - secondary
        movl    $0x20, %eax
        movl    %eax, %cr4
        movl    $top, %eax
        movl    %eax, %cr3
        movl    $0xc0000080, %ecx
        rdmsr
        orl     $0x100, %eax
        wrmsr
        movl    $0x80000011, %eax
        movl    %eax, %cr0
        ljmpl   $8, $with_pages
table_register:
        .word   15
        .long   descriptor_table
secondary_end:

        .text
        .code64
with_pages:
        xorl    %eax, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        movl    secondary_number, %edi
        leal    1(%rdi), %eax
        imull   $STACK_BYTES, %eax
        leaq    stacks(%rax), %rsp
        call    secondary_guest

        .bss
        .balign 16
stacks: .skip   MAX_VCPUS * STACK_BYTES

        .section .note.GNU-stack, "", @progbits
