/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a store is asked again: the bounds that the manual promises, for every state.
 */
#include "ntsd/key_schedule.h"

#include <criterion/criterion.h>

static const uint32_t randoms[] = {0,          1,          0x1234,     0x7fffffff,
                                   0x80000000, 0xdeadbeef, 0xfffffffe, 0xffffffff};
enum { RANDOMS = sizeof(randoms) / sizeof(randoms[0]) };

static const uint32_t intervals[] = {KEY_SCHEDULE_FILE_MS, KEY_SCHEDULE_STORE_MS};
static const uint64_t failures[] = {0, 1, 2, 3, 5, 8, 9, 10, 60, 64, 65, 1000000, UINT64_MAX};

static void expect_between(struct key_schedule schedule, uint64_t least, uint64_t most)
{
    for (size_t r = 0; r < RANDOMS; r++) {
        uint64_t wait = key_schedule_wait_ms(&schedule, randoms[r]);
        cr_expect(wait >= least && wait <= most, "%llu is not from %llu to %llu",
                  (unsigned long long)wait, (unsigned long long)least, (unsigned long long)most);
    }
    cr_expect_eq(key_schedule_wait_ms(&schedule, 0), least);
    cr_expect_eq(key_schedule_wait_ms(&schedule, UINT32_MAX), most, "jittered over all of it");
}

Test(key_schedule, without_keys_each_second)
{
    for (size_t i = 0; i < 2; i++) {
        for (size_t f = 0; f < sizeof(failures) / sizeof(failures[0]); f++) {
            expect_between(
                (struct key_schedule){.interval_ms = intervals[i], .failing = failures[f]}, 800,
                1200);
        }
    }
}

Test(key_schedule, in_service_each_interval)
{
    expect_between((struct key_schedule){.interval_ms = 60000, .in_service = true}, 54000, 66000);
    expect_between((struct key_schedule){.interval_ms = 300000, .in_service = true}, 270000,
                   330000);
}

Test(key_schedule, failures_double_up_to_the_interval)
{
    for (size_t i = 0; i < 2; i++) {
        uint64_t wait = 1000;
        for (uint64_t failing = 1; failing < 200; failing++) {
            expect_between((struct key_schedule){.interval_ms = intervals[i],
                                                 .in_service = true,
                                                 .failing = failing},
                           wait / 2, wait);
            wait = wait * 2 < intervals[i] ? wait * 2 : intervals[i];
        }
    }
    expect_between((struct key_schedule){.interval_ms = KEY_SCHEDULE_FILE_MS,
                                         .in_service = true,
                                         .failing = UINT64_MAX},
                   30000, 60000);
}

/* Whatever happens: never sooner than half a second, never later than the interval and a tenth. */
Test(key_schedule, always_within_reason)
{
    for (size_t i = 0; i < 2; i++) {
        for (size_t f = 0; f < sizeof(failures) / sizeof(failures[0]); f++) {
            for (size_t r = 0; r < 2 * RANDOMS; r++) {
                struct key_schedule schedule = {
                    .interval_ms = intervals[i], .failing = failures[f], .in_service = r < RANDOMS};
                uint64_t wait = key_schedule_wait_ms(&schedule, randoms[r % RANDOMS]);
                cr_expect(wait >= 500 && wait <= intervals[i] + intervals[i] / 10);
            }
        }
    }
}
