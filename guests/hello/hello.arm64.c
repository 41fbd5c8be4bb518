/* SPDX-License-Identifier: Apache-2.0 */
/* Writes its command line and the examples' marker to Xen's log, as on x86-64. */
#include <stdint.h>

#include "../print.h"
#include "given.h"

void guest(const struct given *given)
{
    print("hello: ");
    print(command_line(given));
    print("\ndomb: domain is up\n");
}
