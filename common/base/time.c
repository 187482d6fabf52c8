/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operating system's clocks.
 */
#include "common/base/time.h"

#include <time.h>

static int64_t read_ns(clockid_t id)
{
    struct timespec ts = {0};
    (void)clock_gettime(id, &ts); /* cannot fail for the four clocks below */
    return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

struct wall_ns wall_now(void)
{
    return (struct wall_ns){.ns = read_ns(CLOCK_REALTIME)};
}

struct mono_ns mono_now(void)
{
    return (struct mono_ns){.ns = read_ns(CLOCK_MONOTONIC)};
}

struct mono_ns mono_raw_now(void)
{
    return (struct mono_ns){.ns = read_ns(CLOCK_MONOTONIC_RAW)};
}

struct mono_ns boot_now(void)
{
    return (struct mono_ns){.ns = read_ns(CLOCK_BOOTTIME)};
}
