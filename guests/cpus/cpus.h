/* SPDX-License-Identifier: Apache-2.0 */
/* How a vCPU starts the others: each architecture has its own way. */
#include "stacks.h"

struct given;

/* What this vCPU's registers say that it is. */
uint64_t own_id(void);
/* Goes on to the next vCPU that the domain is told of, from place 0; 0: there is none. */
int next_vcpu(const struct given *given, uint32_t *place, uint64_t *id);
/* Has a vCPU call secondary_guest(number), once the one before has; 0: it will. */
long start_vcpu(uint64_t id, uint64_t number);
void __attribute__((noreturn)) stop_vcpu(void);
