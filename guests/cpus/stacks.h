/* SPDX-License-Identifier: Apache-2.0 */
/* Each vCPU has a stack of its own. */
#define MAX_VCPUS   128
#define STACK_BYTES 1024
