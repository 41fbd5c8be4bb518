/* SPDX-License-Identifier: Apache-2.0 */
/* From PVH's 32-bit entry to 64-bit C, with the first 16 GiB mapped one to one by 2 MiB pages. */
#include <public/elfnote.h>

#define PAGE_PRESENT_WRITABLE 0x003
#define PAGE_LARGE            0x080
#define DIRECTORIES           16

        .section .note.Xen, "a", @note
        .long 4, 4, XEN_ELFNOTE_PHYS32_ENTRY
        .asciz "Xen"
        .long entry

        .text
        .code32
        .globl entry, top, descriptor_table
entry:
        cld
        movl    $stack_end, %esp
        movl    $directories, %edi
        movl    $PAGE_PRESENT_WRITABLE | PAGE_LARGE, %eax
        xorl    %edx, %edx
        movl    $DIRECTORIES * 512, %ecx
1:      movl    %eax, (%edi)
        movl    %edx, 4(%edi)
        addl    $0x200000, %eax
        adcl    $0, %edx
        addl    $8, %edi
        decl    %ecx
        jnz     1b
        movl    $directories + PAGE_PRESENT_WRITABLE, %eax
        movl    $pointers, %edi
        movl    $DIRECTORIES, %ecx
2:      movl    %eax, (%edi)
        addl    $0x1000, %eax
        addl    $8, %edi
        decl    %ecx
        jnz     2b
        movl    $pointers + PAGE_PRESENT_WRITABLE, top
        movl    $0x20, %eax
        movl    %eax, %cr4
        movl    $top, %eax
        movl    %eax, %cr3
        movl    $0xc0000080, %ecx
        rdmsr
        orl     $0x100, %eax
        wrmsr
        movl    %cr0, %eax
        orl     $0x80000000, %eax
        movl    %eax, %cr0
        lgdt    descriptor_table_register
        ljmp    $8, $3f
        .code64
3:      xorl    %eax, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        movl    %ebx, %edi
        call    guest
4:      cli
        hlt
        jmp     4b

        .section .rodata
        .balign 8
descriptor_table:
        .quad   0
        .quad   0x00af9b000000ffff
descriptor_table_register:
        .word   descriptor_table_register - descriptor_table - 1
        .long   descriptor_table

        .bss
        .balign 4096
top:            .skip 4096
pointers:       .skip 4096
directories:    .skip DIRECTORIES * 4096
                .skip 8192
stack_end:

        .section .note.GNU-stack, "", @progbits
