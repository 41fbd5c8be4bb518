// SPDX-License-Identifier: Apache-2.0
// Preloaded by a test into all programs of a build: they find that it is a year and a month later.
// Later, not earlier: make takes files of the future for out of date.

#define _GNU_SOURCE
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { LATER_SECONDS = 34300000 };

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = syscall(SYS_clock_gettime, clock, now);

    if ( result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) )
        now->tv_sec += LATER_SECONDS;
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    int result = syscall(SYS_gettimeofday, now, zone);

    if ( result == 0 )
        now->tv_sec += LATER_SECONDS;
    return result;
}

time_t time(time_t *result)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    if ( result )
        *result = now.tv_sec;
    return now.tv_sec;
}
