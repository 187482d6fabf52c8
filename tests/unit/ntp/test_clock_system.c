/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's word about its clock. Whether it is synchronised depends on the machine; what must
 * hold on all is tested.
 */
#include "ntp/clock/clock_system.h"

#include <criterion/criterion.h>

Test(clock_system, samples_are_pairs_of_the_same_moment)
{
    struct clock_system_sample s;
    struct wall_ns before = wall_now();
    struct mono_ns raw_before = mono_raw_now();
    cr_assert_eq(clock_system_sample(&s), NTS_OK);
    cr_assert(s.wall_ns >= before.ns && s.wall_ns <= wall_now().ns);
    cr_assert(s.raw_ns >= raw_before.ns && s.raw_ns <= mono_raw_now().ns);
    cr_assert_geq(s.window_ns, 0);
    cr_assert_lt(s.window_ns, NS_PER_S);
    cr_assert_geq(s.max_error_ns, 0);
    cr_assert_leq(s.leap, NTP_LEAP_DELETE);
}

Test(clock_system, precision_is_measured)
{
    int8_t precision = clock_system_precision();
    cr_assert_lt(precision, -9, "coarser than a millisecond: %d", precision);
    cr_assert_geq(precision, -30);
}

Test(clock_system, a_model_of_now_serves_now)
{
    const struct clock_system_options options = {.local_stratum = 3,
                                                 .precision = clock_system_precision()};
    struct clock_system_sample s;
    cr_assert_eq(clock_system_sample(&s), NTS_OK);
    struct clock_model m = clock_system_model(&options, &s, NULL, NULL);
    cr_assert(clock_model_is_trusted(&m, mono_raw_now()));
    int64_t off = clock_model_at(&m, mono_raw_now()).ns - wall_now().ns;
    cr_assert(off > -NS_PER_S && off < NS_PER_S, "%ld", (long)off);
}
