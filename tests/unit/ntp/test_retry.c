/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waits that double.
 */
#include "ntp/clock/retry.h"

#include <criterion/criterion.h>

Test(retry, doubles_up_to_its_limit_and_begins_anew)
{
    static const int64_t waits[] = {10, 20, 40, 80, 100, 100, 100};
    struct retry retry = {.first_ns = 10, .most_ns = 100};
    struct mono_ns now = {.ns = 1000};
    cr_expect(retry_is_due(&retry, now));
    for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
        retry_failed(&retry, now);
        cr_expect_eq(retry.next.ns, now.ns + waits[i]);
        now.ns = retry.next.ns - 1;
        cr_expect_not(retry_is_due(&retry, now));
        now.ns++;
        cr_expect(retry_is_due(&retry, now));
    }
    retry_succeeded(&retry);
    cr_expect(retry_is_due(&retry, now));
    retry_failed(&retry, now);
    cr_expect_eq(retry.next.ns, now.ns + 10);
}

Test(retry, any_number_of_failures)
{
    struct retry retry = {
        .first_ns = 10 * NS_PER_S, .most_ns = 3600 * NS_PER_S, .failures = UINT64_MAX - 1};
    retry_failed(&retry, (struct mono_ns){.ns = 5});
    cr_expect_eq(retry.next.ns, 5 + 3600 * NS_PER_S);
}
