/* SPDX-License-Identifier: Apache-2.0 */
/* Each vCPU has a stack of its own. */
#define MAX_VCPUS   128
#define STACK_BYTES 1024
/* On x86-64: a page in the first MiB that nothing else lies in. */
#define SECONDARY_ADDRESS 0x8000
