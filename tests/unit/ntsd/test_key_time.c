/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The time of keys: follows a trusted clock, and nothing else, and does not believe it everything.
 */
#include "ntsd/key_time.h"

#include <criterion/criterion.h>

#define S(n)     ((n)*NS_PER_S)
#define DAY      INT64_C(86400)
#define BEGIN    INT64_C(1767225600) /* 2026 */
#define YEAR2038 INT64_C(2145916800)

static const struct key_terms terms = {.rotate_s = 86400, .lifetime_s = 8 * 86400};

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
    key_time_init(&t, &terms, (struct wall_ns){.ns = S(1000)}, (struct mono_ns){.ns = S(10)});
    struct key_moment m = at(&t, NULL, 25);
    cr_expect_eq(m.now_s, 1015);
    cr_expect_not(m.trusted);
    cr_expect_eq(at(&t, NULL, 26).now_s, 1016);
}

Test(key_time, a_trusted_clock_is_followed_at_once)
{
    struct key_time t;
    struct clock_model clock = clock_at(20, 500000);
    key_time_init(&t, &terms, (struct wall_ns){.ns = S(1000)}, (struct mono_ns){.ns = S(10)});
    struct key_moment m = at(&t, &clock, 25);
    cr_expect_eq(m.now_s, 500005);
    cr_expect(m.trusted);
}

/* A host clock that is stepped after the source was lost does not move the keys. */
Test(key_time, a_lost_clock_is_not_followed)
{
    struct key_time t;
    struct clock_model clock = clock_at(20, 500000);
    key_time_init(&t, &terms, (struct wall_ns){.ns = 0}, (struct mono_ns){.ns = S(10)});
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
    key_time_init(&t, &terms, (struct wall_ns){.ns = 0}, (struct mono_ns){.ns = S(10)});
    cr_expect(at(&t, &clock, 20).trusted);
    cr_expect_not(at(&t, &clock, 20 + 61).trusted);
    cr_expect_eq(at(&t, &clock, 20 + 100).now_s, 500100);
}

/* One look at the clock: `served` is NONE when none is trusted. */
struct look {
    int64_t boot_s;
    int64_t served_s;
    int64_t now_s;
    bool trusted;
    bool has_held;
    bool ignored;
};
#define NONE INT64_C(-1)

static void expect_looks(const struct key_terms *with, const struct look *looks, size_t n)
{
    struct key_time t;
    key_time_init(&t, with, (struct wall_ns){.ns = 0}, (struct mono_ns){.ns = 0});
    for (size_t i = 0; i < n; i++) {
        struct clock_model clock = clock_at(looks[i].boot_s, looks[i].served_s);
        bool none = looks[i].served_s == NONE;
        struct key_moment m = at(&t, none ? NULL : &clock, looks[i].boot_s);
        cr_expect_eq(m.now_s, looks[i].now_s, "look %zu: %lld", i, (long long)m.now_s);
        cr_expect_eq(m.trusted, looks[i].trusted, "look %zu", i);
        cr_expect_eq(m.has_held, looks[i].has_held, "look %zu", i);
        cr_expect_eq(m.ignored_s != 0, looks[i].ignored, "look %zu", i);
    }
}
#define EXPECT_LOOKS(with, looks) expect_looks(with, looks, sizeof(looks) / sizeof((looks)[0]))

/* A host without a clock of its own that survives: what was before was never trusted. */
Test(key_time, the_first_trusted_time_is_taken_whatever_was_before)
{
    static const struct look looks[] = {
        {5, NONE, 5, false, false, false},
        {10, BEGIN, BEGIN, true, false, false},
        {10 + DAY - 1, BEGIN + DAY - 1, BEGIN + DAY - 1, true, false, false},
        {10 + DAY, BEGIN + DAY, BEGIN + DAY, true, true, false},
    };
    EXPECT_LOOKS(&terms, looks);
}

Test(key_time, one_look_at_2038_is_ignored)
{
    static const struct look looks[] = {
        {0, BEGIN, BEGIN, true, false, false},
        {2 * DAY, BEGIN + 2 * DAY, BEGIN + 2 * DAY, true, true, false},
        {2 * DAY + 60, YEAR2038, BEGIN + 2 * DAY + 60, false, false, true},
        {2 * DAY + 61, NONE, BEGIN + 2 * DAY + 61, false, false, false},
        {2 * DAY + 120, BEGIN + 2 * DAY + 121, BEGIN + 2 * DAY + 121, true, false, false},
        {3 * DAY + 119, BEGIN + 3 * DAY + 120, BEGIN + 3 * DAY + 120, true, false, false},
        {3 * DAY + 120, BEGIN + 3 * DAY + 121, BEGIN + 3 * DAY + 121, true, true, false},
    };
    EXPECT_LOOKS(&terms, looks);
}

Test(key_time, a_far_jump_that_holds_is_followed_after_an_hour_and_destroys_after_a_period)
{
    static const int64_t to[] = {YEAR2038, 0, BEGIN + 9 * DAY};
    for (size_t i = 0; i < sizeof(to) / sizeof(to[0]); i++) {
        const struct look looks[] = {
            {0, BEGIN, BEGIN, true, false, false},
            {60, to[i], BEGIN + 60, false, false, true},
            {3659, to[i] + 3599, BEGIN + 3659, false, false, true},
            {3660, to[i] + 3600, to[i] + 3600, true, false, false},
            {59 + DAY, to[i] + DAY - 1, to[i] + DAY - 1, true, false, false},
            {60 + DAY, to[i] + DAY, to[i] + DAY, true, true, false},
        };
        EXPECT_LOOKS(&terms, looks);
    }
}

/* It expires no key that issued a moment ago, but it does not destroy at once either. */
Test(key_time, a_jump_within_the_lifetime_is_followed_at_once)
{
    static const struct look looks[] = {
        {0, BEGIN, BEGIN, true, false, false},
        {DAY, BEGIN + DAY, BEGIN + DAY, true, true, false},
        {DAY + 1, BEGIN + 9 * DAY + 1, BEGIN + 9 * DAY + 1, true, false, false},
        {DAY + 2, BEGIN + 9 * DAY + 2, BEGIN + 9 * DAY + 2, true, false, false},
        {2 * DAY + 1, BEGIN + 10 * DAY + 1, BEGIN + 10 * DAY + 1, true, true, false},
        {2 * DAY + 2, BEGIN + 2 * DAY + 2, BEGIN + 2 * DAY + 2, true, false, false},
        {2 * DAY + 3, BEGIN + 10 * DAY + 3, BEGIN + 10 * DAY + 3, true, false, false},
    };
    EXPECT_LOOKS(&terms, looks);
}

/* Half a period a look: each agrees with the one before it, all together are 2 days off. */
Test(key_time, small_steps_do_not_add_up)
{
    static const struct look looks[] = {
        {0, BEGIN, BEGIN, true, false, false},
        {DAY, BEGIN + DAY, BEGIN + DAY, true, true, false},
        {DAY + 1, BEGIN + DAY + 43201, BEGIN + DAY + 43201, true, true, false},
        {DAY + 2, BEGIN + DAY + 86402, BEGIN + DAY + 86402, true, true, false},
        {DAY + 3, BEGIN + DAY + 129603, BEGIN + DAY + 129603, true, false, false},
    };
    EXPECT_LOOKS(&terms, looks);
}

/* Periods of a minute are not destroyed within a minute, those of a year not only after one. */
Test(key_time, holding_takes_an_hour_at_least_and_a_day_at_most)
{
    static const struct key_terms minutes = {.rotate_s = 60, .lifetime_s = 600};
    static const struct key_terms years = {.rotate_s = 31622400, .lifetime_s = 31622400};
    static const struct look short_looks[] = {
        {0, BEGIN, BEGIN, true, false, false},
        {3599, BEGIN + 3599, BEGIN + 3599, true, false, false},
        {3600, BEGIN + 3600, BEGIN + 3600, true, true, false},
        {3601, BEGIN + 3661, BEGIN + 3661, true, true, false},
        {3602, BEGIN + 3663, BEGIN + 3663, true, false, false},
        {3603, BEGIN + 3663 + DAY + 1, BEGIN + 3663 + DAY + 1, true, false, false},
        {3604, BEGIN + 3663 + 2 * DAY + 3, BEGIN + 3663 + DAY + 2, false, false, true},
    };
    static const struct look long_looks[] = {
        {0, BEGIN, BEGIN, true, false, false},
        {DAY - 1, BEGIN + DAY - 1, BEGIN + DAY - 1, true, false, false},
        {DAY, BEGIN + DAY, BEGIN + DAY, true, true, false},
    };
    EXPECT_LOOKS(&minutes, short_looks);
    EXPECT_LOOKS(&years, long_looks);
}

/* A source that is silent for hours and then says what was to be expected. */
Test(key_time, times_without_a_clock_do_not_count_against_it)
{
    static const struct look looks[] = {
        {0, BEGIN, BEGIN, true, false, false},
        {7200, NONE, BEGIN + 7200, false, false, false},
        {2 * DAY, NONE, BEGIN + 2 * DAY, false, false, false},
        {2 * DAY + 1, BEGIN + 2 * DAY + 2, BEGIN + 2 * DAY + 2, true, true, false},
    };
    EXPECT_LOOKS(&terms, looks);
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
