/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting times of restarts.
 */
#include "ntsd/backoff.h"

#include <criterion/criterion.h>
#include <stddef.h>

Test(backoff, doubles_up_to_its_limit)
{
    static const uint64_t waits[] = {0, 100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000};
    struct backoff b = {0};
    for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
        cr_expect_eq(backoff_next(&b, 0), waits[i], "death %zu", i);
    }
}

Test(backoff, a_life_of_ten_seconds_forgives)
{
    struct backoff b = {0};
    (void)backoff_next(&b, 0);
    cr_expect_eq(backoff_next(&b, BACKOFF_RESET_MS - 1), 100);
    cr_expect_eq(backoff_next(&b, BACKOFF_RESET_MS), 0);
    cr_expect_eq(backoff_next(&b, 0), 100);
}

Test(backoff, never_overflows)
{
    struct backoff b = {.deaths = 4000000000U};
    cr_expect_eq(backoff_next(&b, 0), BACKOFF_MAX_MS);
}
