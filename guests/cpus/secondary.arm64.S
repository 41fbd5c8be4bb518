/* SPDX-License-Identifier: Apache-2.0 */
/* Where vCPUs but the first start, with their number in x0. */
#include "stacks.h"

        .text
        .globl  secondary
secondary:
        bl      turn_caches_on
        ldr     x9, =stacks + STACK_BYTES
        mov     x10, #STACK_BYTES
        madd    x9, x0, x10, x9
        mov     sp, x9
        b       secondary_guest
        .ltorg

        .bss
        .balign 16
stacks: .skip   MAX_VCPUS * STACK_BYTES

        .section .note.GNU-stack, "", %progbits
