/* SPDX-License-Identifier: Apache-2.0 */
/* Sleeping on arm64: until the virtual timer's interrupt is pending, which nobody has to take. */
static void sleep(uint64_t nanoseconds)
{
    uint64_t hertz, now, end;

    asm volatile ("mrs %0, cntfrq_el0" : "=r" (hertz));
    asm volatile ("isb; mrs %0, cntvct_el0" : "=r" (now));
    end = now + nanoseconds * (hertz / 1000) / 1000000;
    asm volatile ("msr cntv_cval_el0, %0" :: "r" (end));
    while ( now < end )
    {
        asm volatile ("msr cntv_ctl_el0, %0; isb; wfi" :: "r" (1UL) : "memory");
        asm volatile ("isb; mrs %0, cntvct_el0" : "=r" (now));
    }
}
