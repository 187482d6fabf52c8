/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is made of each sample: sanity, delay, outliers, steps, and the window behind them.
 */
#include "ntp/clock/clock_filter.h"

#include "common/base/time.h"
#include "ntp/ntp_proto.h"

#include <criterion/criterion.h>
#include <math.h>

#define RAW   (INT64_C(5000) * NS_PER_S)
#define WALL  (INT64_C(1767225600) * NS_PER_S)
#define POLL  (16 * NS_PER_S)
#define DELAY INT64_C(500000)
#define US    INT64_C(1000)

static struct clock_filter filter;

static void start(void)
{
    clock_filter_init(&filter);
}

TestSuite(clock_filter, .init = start);

/* From -6 to 6 us, as irregular as chance. */
static int64_t scatter_ns(int64_t i)
{
    uint32_t z = (uint32_t)i * 2654435761u;
    z ^= z >> 15;
    z *= 2246822519u;
    z ^= z >> 13;
    return (int64_t)(z % 12001) - 6000;
}

/* Sample number `i` of a source against which the raw clock is 20 ppm slow; the scatter is some
 * microseconds, the same each time. */
static struct clock_sample sample(int64_t i)
{
    int64_t at = i * POLL;
    return (struct clock_sample){
        .raw_ns = RAW + at,
        .wall_ns = WALL + at + at / 50000 + scatter_ns(i),
        .delay_ns = DELAY + (i * 31 % 11) * US,
        .root_delay_ns = 200 * US,
        .root_dispersion_ns = 300 * US,
        .reference_id = 1,
        .stratum = 3,
    };
}

static enum clock_filter_verdict add(int64_t i, int64_t shift_ns, int64_t delay_ns)
{
    struct clock_sample s = sample(i);
    s.wall_ns += shift_ns;
    s.delay_ns += delay_ns;
    return clock_filter_add(&filter, &s);
}

static void add_good(int64_t from, int64_t to)
{
    for (int64_t i = from; i < to; i++) {
        cr_assert_eq(add(i, 0, 0), CLOCK_FILTER_USED, "sample %d", (int)i);
    }
}

/* How far the line is from the source's true time at sample i. */
static double miss_ns(int64_t i)
{
    int64_t at = i * POLL;
    int64_t truth = WALL - RAW + at / 50000;
    return (double)(clock_filter_line_at(&filter, RAW + at).offset_ns - truth);
}

Test(clock_filter, the_first_sample_is_of_use_at_once)
{
    cr_assert_not(clock_filter_has_line(&filter));
    add_good(0, 1);
    cr_assert(clock_filter_has_line(&filter));
    struct clock_filter_line line = clock_filter_line_at(&filter, RAW);
    cr_assert_eq(line.offset_ns, sample(0).wall_ns - RAW);
    cr_assert_float_eq(line.rate_ppb, 0.0, 1e-9);
    cr_assert_float_eq(line.rate_sd_ppb, 100000.0, 1.0);
    cr_assert_eq(line.used_raw_ns, RAW);
    /* ... and soon uncertain. */
    cr_assert_gt(clock_filter_line_at(&filter, RAW + POLL).sd_ns, 1.5e6);
}

Test(clock_filter, a_rate_is_found_and_followed)
{
    add_good(0, 40);
    struct clock_filter_line line = clock_filter_line_at(&filter, RAW + 39 * POLL);
    cr_assert_float_eq(line.rate_ppb, 20000.0, 30.0);
    cr_assert_lt(line.rate_sd_ppb, 30.0);
    cr_assert_lt(fabs(miss_ns(39)), 4000.0);
    cr_assert_lt(fabs(miss_ns(60)), 15000.0);
    cr_assert_eq(filter.window.count, 40);
}

Test(clock_filter, the_window_is_full_at_64)
{
    add_good(0, 200);
    cr_assert_eq(filter.window.count, CLOCK_WINDOW_POINTS);
    cr_assert_eq(filter.counts.samples, 200);
    cr_assert_eq(filter.reach, 0xff);
    cr_assert_lt(fabs(miss_ns(199)), 3000.0);
}

Test(clock_filter, senseless_samples_are_counted_and_forgotten)
{
    static const struct clock_sample good = {.raw_ns = RAW, .wall_ns = WALL, .stratum = 3};
    struct clock_sample bad[24];
    for (size_t i = 0; i < 24; i++) {
        bad[i] = good;
    }
    bad[0].raw_ns = 0;
    bad[1].raw_ns = -1;
    bad[2].raw_ns = INT64_MAX;
    bad[3].raw_ns = INT64_MIN;
    bad[4].wall_ns = 0;                             /* 1970 */
    bad[5].wall_ns = INT64_C(946684800) * NS_PER_S; /* 2000 */
    bad[6].wall_ns = INT64_MAX;                     /* 2262 */
    bad[7].wall_ns = INT64_MIN;
    bad[8].wall_ns = -NTP_UNIX_OFFSET_S * NS_PER_S; /* 1900 */
    bad[9].delay_ns = -NS_PER_MS;
    bad[10].delay_ns = INT64_MIN;
    bad[11].delay_ns = INT64_MAX;
    bad[12].delay_ns = 17 * NS_PER_S;
    bad[13].root_delay_ns = -1;
    bad[14].root_delay_ns = INT64_MAX;
    bad[15].root_delay_ns = 17 * NS_PER_S;
    bad[16].root_dispersion_ns = -1;
    bad[17].root_dispersion_ns = INT64_MAX;
    bad[18].root_dispersion_ns = 17 * NS_PER_S;
    bad[19].stratum = 15;
    bad[20].stratum = 255;
    bad[21].leap = NTP_LEAP_UNKNOWN;
    bad[22].leap = 255;
    bad[23].wall_ns = INT64_C(1735689599) * NS_PER_S; /* the last second of 2024 */
    for (size_t i = 0; i < 24; i++) {
        cr_assert_eq(clock_filter_add(&filter, &bad[i]), CLOCK_FILTER_UNUSABLE, "case %zu", i);
    }
    cr_assert_eq(filter.counts.unusable, 24);
    cr_assert_eq(filter.reach, 0);
    cr_assert_not(clock_filter_has_line(&filter));
    cr_assert_eq(clock_filter_add(&filter, &good), CLOCK_FILTER_USED);
}

Test(clock_filter, of_2036_and_of_a_coarse_clock)
{
    struct clock_sample s = sample(0);
    s.wall_ns = INT64_C(2085978496) * NS_PER_S - 1; /* NTP era 0 ends with this nanosecond */
    s.delay_ns = -5000;
    cr_assert_eq(clock_filter_add(&filter, &s), CLOCK_FILTER_USED);
    s.raw_ns += POLL;
    s.wall_ns += POLL;
    cr_assert_eq(clock_filter_add(&filter, &s), CLOCK_FILTER_USED);
    cr_assert_eq(filter.window.delay_min_ns, 5000);
}

Test(clock_filter, duplicates_and_old_samples_are_unusable)
{
    add_good(0, 3);
    cr_assert_eq(add(2, 0, 0), CLOCK_FILTER_UNUSABLE);
    cr_assert_eq(add(1, 0, 0), CLOCK_FILTER_UNUSABLE);
    cr_assert_eq(filter.window.count, 3);
}

Test(clock_filter, one_or_two_outliers_do_not_move_the_line)
{
    static const int64_t shifts[] = {-NS_PER_S, 2 * NS_PER_MS, 10 * NS_PER_S, -3600 * NS_PER_S};
    add_good(0, 30);
    int64_t i = 30;
    for (size_t k = 0; k < sizeof(shifts) / sizeof(shifts[0]); k++) {
        struct clock_fit before = filter.window.fit;
        cr_assert_eq(add(i, shifts[k], 0), CLOCK_FILTER_SUSPECT);
        cr_assert_eq(add(i + 1, shifts[k], 0), CLOCK_FILTER_SUSPECT);
        cr_assert_eq(filter.window.fit.mean_y_ns, before.mean_y_ns);
        cr_assert_eq(filter.window.fit.rate_ppb, before.rate_ppb);
        add_good(i + 2, i + 8);
        i += 8;
    }
    cr_assert_eq(filter.counts.outliers, 8);
    cr_assert_eq(filter.counts.breaks, 0);
    cr_assert_lt(fabs(miss_ns(i)), 6000.0);
}

Test(clock_filter, three_alike_are_a_step)
{
    add_good(0, 30);
    cr_assert_eq(add(30, NS_PER_S, 0), CLOCK_FILTER_SUSPECT);
    cr_assert_eq(add(31, NS_PER_S, 0), CLOCK_FILTER_SUSPECT);
    cr_assert_lt(fabs(miss_ns(31)), 6000.0);
    cr_assert_eq(add(32, NS_PER_S, 0), CLOCK_FILTER_BREAK);
    cr_assert_float_eq(miss_ns(32), (double)NS_PER_S, 30000.0);
    cr_assert_eq(filter.window.count, 3);
    cr_assert_eq(filter.counts.breaks, 1);
    /* The oscillator is still the same. */
    cr_assert_float_eq(filter.window.fit.rate_ppb, 20000.0, 300.0);
}

Test(clock_filter, three_that_contradict_each_other_are_none)
{
    add_good(0, 30);
    for (int64_t i = 30; i < 60; i++) {
        int64_t shift = (i % 3 - 1) * NS_PER_S + (i % 2) * 200 * NS_PER_MS + 50 * NS_PER_MS;
        cr_assert_eq(add(i, shift, 0), CLOCK_FILTER_SUSPECT);
    }
    cr_assert_eq(filter.confirmed_raw_ns, RAW + 29 * POLL);
    cr_assert_eq(filter.counts.outliers, 30);
}

/* The source begins to run faster, or the machine is another one: the new rate is believed, not
 * averaged with the old. */
Test(clock_filter, a_new_rate_is_a_break_too)
{
    static const int64_t more_ppm[] = {30, -30, 150, -200, 450};
    for (size_t k = 0; k < sizeof(more_ppm) / sizeof(more_ppm[0]); k++) {
        start();
        add_good(0, 30);
        enum clock_filter_verdict verdict = CLOCK_FILTER_USED;
        int64_t i = 30;
        for (; i < 36 && verdict != CLOCK_FILTER_BREAK; i++) {
            verdict = add(i, (i - 29) * POLL * more_ppm[k] / 1000000, 0);
        }
        cr_assert_eq(verdict, CLOCK_FILTER_BREAK, "%d ppm", (int)more_ppm[k]);
        for (; i < 60; i++) {
            (void)add(i, (i - 29) * POLL * more_ppm[k] / 1000000, 0);
        }
        cr_assert_float_eq(filter.window.fit.rate_ppb, 20000.0 + (double)more_ppm[k] * 1e3, 300.0,
                           "%f", filter.window.fit.rate_ppb);
    }
}

/* One that goes its own way each time is not on a line, however close together. */
Test(clock_filter, two_that_come_apart_need_a_third)
{
    add_good(0, 30);
    cr_assert_eq(add(30, 10 * NS_PER_MS, 0), CLOCK_FILTER_SUSPECT);
    cr_assert_eq(add(31, 15 * NS_PER_MS, 0), CLOCK_FILTER_SUSPECT);
    cr_assert_eq(add(32, 12 * NS_PER_MS, 0), CLOCK_FILTER_SUSPECT);
    add_good(33, 40);
    cr_assert_eq(filter.counts.breaks, 0);
}

/* What a sample claims counts with the sample. */
Test(clock_filter, the_word_of_a_held_one_waits_for_its_verdict)
{
    struct clock_sample s = sample(30);
    add_good(0, 30);
    s.wall_ns += NS_PER_S;
    s.delay_ns = 0;
    s.stratum = 0;
    double before = clock_window_bound_ns(&filter.window, s.raw_ns);
    for (int k = 0; k < 3; k++) {
        cr_assert_eq(filter.accepted.stratum, 3);
        cr_assert_eq(filter.accepted.raw_ns, RAW + 29 * POLL);
        cr_assert_geq(filter.window.delay_min_ns, DELAY);
        cr_assert_eq(clock_window_bound_ns(&filter.window, sample(30).raw_ns), before);
        (void)clock_filter_add(&filter, &s);
        s.raw_ns += POLL;
        s.wall_ns += POLL;
    }
    cr_assert_eq(filter.accepted.stratum, 0);
    cr_assert_eq(filter.window.delay_min_ns, 0);
}

Test(clock_filter, slow_answers_say_little)
{
    add_good(0, 30);
    struct clock_fit before = filter.window.fit;
    cr_assert_eq(add(30, 9 * NS_PER_MS, 20 * NS_PER_MS), CLOCK_FILTER_DELAYED);
    cr_assert_eq(filter.window.fit.mean_y_ns, before.mean_y_ns);
    cr_assert_eq(filter.confirmed_raw_ns, RAW + 30 * POLL);
    cr_assert_eq(clock_filter_line_at(&filter, RAW + 30 * POLL).used_raw_ns, RAW + 29 * POLL);
    /* But a shift that no delay explains is one. */
    cr_assert_eq(add(31, 15 * NS_PER_MS, 20 * NS_PER_MS), CLOCK_FILTER_SUSPECT);
    cr_assert_eq(filter.counts.delayed, 1);
}

Test(clock_filter, a_way_that_stays_longer_becomes_the_usual_one)
{
    add_good(0, 30);
    for (int64_t i = 30; i < 37; i++) {
        cr_assert_eq(add(i, NS_PER_MS, 2 * NS_PER_MS), CLOCK_FILTER_DELAYED);
    }
    cr_assert_eq(add(37, NS_PER_MS, 2 * NS_PER_MS), CLOCK_FILTER_USED);
    cr_assert_eq(filter.window.count, CLOCK_FILTER_SLOW_SAMPLES);
    cr_assert_geq(filter.window.delay_min_ns, DELAY + 2 * NS_PER_MS);
    cr_assert_float_eq(miss_ns(37), (double)NS_PER_MS, 20000.0);
}

Test(clock_filter, a_bad_first_sample_yields_to_better_ones)
{
    cr_assert_eq(add(0, 4 * NS_PER_MS, 10 * NS_PER_MS), CLOCK_FILTER_USED);
    add_good(1, 20);
    cr_assert_lt(fabs(miss_ns(19)), 10000.0);
}

Test(clock_filter, the_window_shrinks_when_the_rate_wanders)
{
    add_good(0, 64);
    for (int64_t i = 64; i < 120; i++) {
        int64_t since = i - 64;
        (void)add(i, since * since * US, 0); /* 8 ppb more each second */
    }
    cr_assert_lt(filter.window.count, 30);
    cr_assert_lt(fabs(miss_ns(119) - 55.0 * 55.0 * 1000.0), 60000.0);
}

Test(clock_filter, misses_are_reach)
{
    add_good(0, 2);
    clock_filter_miss(&filter);
    cr_assert_eq(filter.reach, 6);
    cr_assert_eq(filter.counts.misses, 1);
    cr_assert_eq(filter.misses_in_row, 1);
    add_good(3, 4);
    cr_assert_eq(filter.misses_in_row, 0);
    cr_assert_eq(filter.reach, 13);
}

Test(clock_filter, a_leap_second_moves_all_that_was_measured)
{
    add_good(0, 30);
    (void)add(30, 2 * NS_PER_S, 0);
    clock_filter_shift(&filter, -NS_PER_S);
    cr_assert_float_eq(miss_ns(30), -(double)NS_PER_S, 6000.0);
    cr_assert_eq(add(31, -NS_PER_S, 0), CLOCK_FILTER_USED);
    clock_filter_shift(&filter, INT64_MIN);
    clock_filter_shift(&filter, INT64_MIN);
    (void)clock_filter_line_at(&filter, INT64_MAX);
}

Test(clock_filter, after_a_restart_the_rate_is_still_known)
{
    add_good(0, 40);
    clock_filter_restart(&filter);
    cr_assert_not(clock_filter_has_line(&filter));
    cr_assert_eq(add(40, 5 * NS_PER_S, 0), CLOCK_FILTER_USED);
    struct clock_filter_line line = clock_filter_line_at(&filter, RAW + 40 * POLL);
    cr_assert_float_eq(line.rate_ppb, 20000.0, 30.0);
    cr_assert_geq(line.rate_sd_ppb, 1000.0);
}

Test(clock_filter, what_others_know_of_the_rate_helps_only_a_beginner)
{
    const struct clock_fit_prior known = {.rate_ppb = 20000.0, .sd_ppb = 1000.0};
    const struct clock_fit_prior vague = {.rate_ppb = -7.0, .sd_ppb = 1e6};
    clock_filter_expect(&filter, &known);
    clock_filter_expect(&filter, &vague);
    add_good(0, 1);
    cr_assert_float_eq(filter.window.fit.rate_ppb, 20000.0, 1e-6);
    const struct clock_fit_prior late = {.rate_ppb = 0.0, .sd_ppb = 1.0};
    clock_filter_expect(&filter, &late);
    add_good(1, 2);
    cr_assert_float_eq(filter.window.fit.rate_ppb, 20000.0, 2000.0);
}

/* Delay that falls on one way is error: then few fast samples are better than many. Jitter that
 * does not show in the delay is not, and then each sample counts. */
Test(clock_filter, the_worth_of_delay_is_learned)
{
    for (int64_t i = 0; i < 64; i++) {
        int64_t queue = i % 4 * 50 * US + i % 3 * US;
        (void)add(i, queue / 2, queue);
    }
    cr_assert_gt(filter.window.noise.excess_share, 0.15);
    cr_assert_lt(fabs(miss_ns(63)), 20000.0);
    clock_filter_init(&filter);
    for (int64_t i = 0; i < 64; i++) {
        (void)add(i, (i * 37 % 17 - 8) * 5 * US, i % 4 * 50 * US);
    }
    cr_assert_lt(filter.window.noise.excess_share, 0.1);
    cr_assert_lt(fabs(miss_ns(63)), 20000.0);
}
