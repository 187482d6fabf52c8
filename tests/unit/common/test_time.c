/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clocks: each is the one it says, and the monotonic ones never fall.
 */
#include "common/base/time.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <time.h>

static int64_t read_ns(clockid_t id)
{
    struct timespec ts;
    cr_assert_eq(clock_gettime(id, &ts), 0);
    return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

Test(time, each_clock_lies_between_two_readings_of_its_own)
{
    int64_t before = read_ns(CLOCK_MONOTONIC);
    int64_t now = mono_now().ns;
    cr_assert(before <= now && now <= read_ns(CLOCK_MONOTONIC));
    before = read_ns(CLOCK_MONOTONIC_RAW);
    now = mono_raw_now().ns;
    cr_assert(before <= now && now <= read_ns(CLOCK_MONOTONIC_RAW));
    before = read_ns(CLOCK_BOOTTIME);
    now = boot_now().ns;
    cr_assert(before <= now && now <= read_ns(CLOCK_BOOTTIME));
    /* Wall time may be stepped at any moment: only far off is wrong. */
    cr_assert_lt(llabs(wall_now().ns - read_ns(CLOCK_REALTIME)), 3600 * NS_PER_S);
}

Test(time, monotonic_clocks_never_fall)
{
    int64_t mono = 0;
    int64_t raw = 0;
    for (unsigned i = 0; i < 10000; i++) {
        int64_t mono_next = mono_now().ns;
        int64_t raw_next = mono_raw_now().ns;
        cr_assert(mono_next >= mono && raw_next >= raw);
        mono = mono_next;
        raw = raw_next;
    }
}
