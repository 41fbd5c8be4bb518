/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Xen enters here as xen/include/public/arch-x86/hvm/start_info.h says: 32-bit protected mode,
 * paging off, the start info's address in ebx. The way to 64-bit code, with the first 4 GiB mapped
 * one to one, of which only the first 2 MiB, where the boot domain itself lies, may execute.
 */
#include <public/elfnote.h>

#define PAGE_PRESENT_WRITABLE 0x003
#define PAGE_LARGE            0x080
#define NO_EXECUTE_HIGH       0x80000000
#define CR4_PAE               0x20
#define MSR_EFER              0xc0000080
#define EFER_LME_NXE          0x900
#define CR0_PG                0x80000000

        .section .note.Xen, "a", @note
        .long 4, 4, XEN_ELFNOTE_PHYS32_ENTRY
        .asciz "Xen"
        .long entry

        /* Whom the boot domain trusts; domb fills it in. */
        .section .note.domb, "a", @note
        .long 2f - 1f, TRUST_BYTES, TRUST_NOTE
1:      .asciz "domb"
2:      .balign 4
        .globl trust
trust:  .skip TRUST_BYTES

        .section .text.entry, "ax"
        .code32
        .globl entry
entry:
        cld
        movl    $stack_end, %esp
        movl    %ebx, %ebp

        /* 2048 pages of 2 MiB; all but the first without execution. */
        movl    $directories, %edi
        movl    $PAGE_PRESENT_WRITABLE | PAGE_LARGE, %eax
        xorl    %edx, %edx
        movl    $2048, %ecx
1:      movl    %eax, (%edi)
        movl    %edx, 4(%edi)
        movl    $NO_EXECUTE_HIGH, %edx
        addl    $0x200000, %eax
        addl    $8, %edi
        decl    %ecx
        jnz     1b

        movl    $directories + PAGE_PRESENT_WRITABLE, %eax
        movl    $pointers, %edi
        movl    $4, %ecx
2:      movl    %eax, (%edi)
        addl    $0x1000, %eax
        addl    $8, %edi
        decl    %ecx
        jnz     2b
        movl    $pointers + PAGE_PRESENT_WRITABLE, top

        movl    $CR4_PAE, %eax
        movl    %eax, %cr4
        movl    $top, %eax
        movl    %eax, %cr3
        movl    $MSR_EFER, %ecx
        rdmsr
        orl     $EFER_LME_NXE, %eax
        wrmsr
        movl    %cr0, %eax
        orl     $CR0_PG, %eax
        movl    %eax, %cr0
        lgdt    descriptor_table_register
        ljmp    $8, $3f

        .code64
3:      xorl    %eax, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        movl    %ebp, %edi
        call    start
        ud2

        .section .rodata
        .balign 8
descriptor_table:
        .quad   0
        .quad   0x00af9b000000ffff      /* 64-bit code */
descriptor_table_register:
        .word   descriptor_table_register - descriptor_table - 1
        .long   descriptor_table

        .bss
        .balign 4096
        .globl  hypercall_page
hypercall_page: .skip 4096
top:            .skip 4096
pointers:       .skip 4096
directories:    .skip 4 * 4096
                .skip STACK_BYTES
stack_end:

        .section .note.GNU-stack, "", @progbits
