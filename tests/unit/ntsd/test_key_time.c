/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The time of keys: follows a trusted clock, and nothing else.
 */
#include "ntsd/key_time.h"

#include <criterion/criterion.h>

#define S(n) ((n)*NS_PER_S)

static struct clock_model clock_at(int64_t raw_s, int64_t wall_s)
{
    return (struct clock_model){.anchor_raw_ns = S(raw_s),
                                .anchor_wall_ns = S(wall_s),
                                .state = CLOCK_SYNCHRONISED,
                                .stratum = 2};
}

static struct key_moment at(struct key_time *t, const struct clock_model *clock, int64_t boot_s)
{
    return key_time_at(t, clock, (struct mono_ns){.ns = S(boot_s)},
                       (struct mono_ns){.ns = S(boot_s)});
}

Test(key_time, without_a_clock_it_goes_on_by_itself)
{
    struct key_time t;
    key_time_init(&t, (struct wall_ns){.ns = S(1000)}, (struct mono_ns){.ns = S(10)});
    struct key_moment m = at(&t, NULL, 25);
    cr_expect_eq(m.now_s, 1015);
    cr_expect_not(m.trusted);
    cr_expect_eq(at(&t, NULL, 26).now_s, 1016);
}

Test(key_time, a_trusted_clock_is_followed_at_once)
{
    struct key_time t;
    struct clock_model clock = clock_at(20, 500000);
    key_time_init(&t, (struct wall_ns){.ns = S(1000)}, (struct mono_ns){.ns = S(10)});
    struct key_moment m = at(&t, &clock, 25);
    cr_expect_eq(m.now_s, 500005);
    cr_expect(m.trusted);
}

/* A host clock that is stepped after the source was lost does not move the keys. */
Test(key_time, a_lost_clock_is_not_followed)
{
    struct key_time t;
    struct clock_model clock = clock_at(20, 500000);
    key_time_init(&t, (struct wall_ns){.ns = 0}, (struct mono_ns){.ns = S(10)});
    cr_expect(at(&t, &clock, 20).trusted);
    clock = clock_at(30, 0); /* 1970 */
    clock.state = CLOCK_LOST;
    struct key_moment m = at(&t, &clock, 3620);
    cr_expect_eq(m.now_s, 503600);
    cr_expect_not(m.trusted);
}

Test(key_time, a_clock_that_is_not_renewed_is_not_followed)
{
    struct key_time t;
    struct clock_model clock = clock_at(20, 500000);
    key_time_init(&t, (struct wall_ns){.ns = 0}, (struct mono_ns){.ns = S(10)});
    cr_expect(at(&t, &clock, 20).trusted);
    cr_expect_not(at(&t, &clock, 20 + 61).trusted);
    cr_expect_eq(at(&t, &clock, 20 + 100).now_s, 500100);
}

Test(key_time, waiting)
{
    static const struct {
        int64_t now;
        int64_t next;
        bool trusted;
        uint64_t ms;
    } cases[] = {
        {1000, 1000000, true, 60000},
        {1000, 1059, true, 59000},
        {1000, 1060, true, 60000},
        {1000, 1001, true, 1000},
        {1000, 1000, true, 1000},
        {1000, 5, true, 1000},
        {1000, 5000, false, 1000},
        {1000, 1003, false, 1000},
        {0, INT64_MAX, true, 60000},
        {-5, INT64_MAX, true, 60000},
        {INT64_MIN, INT64_MAX, true, 60000},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct key_moment m = {.now_s = cases[i].now, .trusted = cases[i].trusted};
        cr_expect_eq(key_time_wait_ms(m, cases[i].next), cases[i].ms, "case %zu", i);
    }
}
