/* SPDX-License-Identifier: Apache-2.0 */
/* A PV kernel: Xen enters it in 64-bit mode, on its own page tables and with a stack. */
#include <public/elfnote.h>

        .macro  note type, words:vararg
        .section .note.Xen, "a", @note
        .long   4, 2f - 1f, \type
        .asciz  "Xen"
1:      \words
2:      .balign 4
        .endm

        note    XEN_ELFNOTE_XEN_VERSION, .asciz "xen-3.0"
        note    XEN_ELFNOTE_LOADER, .asciz "generic"
        note    XEN_ELFNOTE_ENTRY, .quad entry

        .text
        .globl  entry
entry:
        cld
        movq    %rsi, %rdi
        call    guest

        .section .note.GNU-stack, "", @progbits
