/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When an announced leap second comes.
 */
#include "ntp/clock/clock_leap.h"
#include "ntp/ntp_proto.h"

#include <criterion/criterion.h>

#define S NS_PER_S

static struct clock_leap announced(uint8_t leap, int64_t wall_ns)
{
    return clock_leap_announced(leap, (struct wall_ns){.ns = wall_ns});
}

Test(clock_leap, at_the_end_of_the_month)
{
    static const struct {
        int64_t wall_s;
        int64_t end_s;
    } cases[] = {
        {0, 2678400},             /* 1970-01: 1970-02-01 */
        {2678399, 2678400},       /* its last second */
        {2678400, 5097600},       /* 1970-02: 1970-03-01 */
        {951696000, 951868800},   /* 2000-02-28: a leap year after all, 2000-03-01 */
        {1709164800, 1709251200}, /* 2024-02-29: 2024-03-01 */
        {1740700800, 1740787200}, /* 2025-02-28: 2025-03-01 */
        {1782863999, 1782864000}, /* 2026-06-30 23:59:59 */
        {1782864000, 1785542400}, /* 2026-07-01: 2026-08-01 */
        {1483228799, 1483228800}, /* 2016-12-31 23:59:59 */
        {4107542399, 4107542400}, /* 2100-02-28: no leap year, 2100-03-01 */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct clock_leap in = announced(NTP_LEAP_INSERT, cases[i].wall_s * S);
        cr_assert_eq(in.due_wall_ns, cases[i].end_s * S, "case %zu", i);
        cr_assert_eq(in.step_ns, -S);
        struct clock_leap out = announced(NTP_LEAP_DELETE, cases[i].wall_s * S);
        cr_assert_eq(out.due_wall_ns, (cases[i].end_s - 1) * S, "case %zu", i);
        cr_assert_eq(out.step_ns, S);
    }
}

Test(clock_leap, nothing_announced_nothing_due)
{
    static const uint8_t none[] = {NTP_LEAP_NONE, NTP_LEAP_UNKNOWN, 4, 255};
    for (size_t i = 0; i < sizeof(none); i++) {
        cr_assert_eq(announced(none[i], 1782863999 * S).due_wall_ns, 0);
        cr_assert_eq(announced(none[i], 1782863999 * S).step_ns, 0);
    }
}

Test(clock_leap, times_from_nowhere_do_no_harm)
{
    static const int64_t walls[] = {INT64_MIN, -1, 0, INT64_MAX};
    for (size_t i = 0; i < sizeof(walls) / sizeof(walls[0]); i++) {
        cr_assert_gt(announced(NTP_LEAP_INSERT, walls[i]).due_wall_ns, 0);
    }
}
