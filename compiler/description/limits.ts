// SPDX-License-Identifier: Apache-2.0
// Limits of a launch description that neither boot domain nor hypervisor know of. All others are
// in contract/limits.ts.

/** Bytes of a command line, its zero byte apart: Linux's COMMAND_LINE_SIZE on x86 is 2048. */
export const MAX_COMMAND_LINE_BYTES = 2047;
