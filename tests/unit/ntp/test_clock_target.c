/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known about the error of a line, and of several together: the truth has to be within it,
 * whatever an honest source, its way and the oscillator do.
 */
#include "ntp/clock/clock_target.h"

#include "common/base/time.h"

#include <criterion/criterion.h>
#include <math.h>

#define RAW  (INT64_C(5000) * NS_PER_S)
#define WALL (INT64_C(1767225600) * NS_PER_S)
#define US   INT64_C(1000)

/* An honest source; the raw clock keeps true time unless a test adds to `wall_ns`. */
static struct clock_sample honest(int64_t at_ns, int64_t there_ns, int64_t back_ns)
{
    return (struct clock_sample){
        .raw_ns = RAW + at_ns,
        .wall_ns = WALL + at_ns + (there_ns - back_ns) / 2,
        .delay_ns = there_ns + back_ns,
        .root_dispersion_ns = 20 * US,
        .stratum = 2,
    };
}

static int64_t error_ns(const struct clock_filter *filter, int64_t at_ns, int64_t truth_ns)
{
    return llabs(clock_filter_line_at(filter, RAW + at_ns).offset_ns - (WALL - RAW) - truth_ns);
}

static uint32_t chance(uint32_t i)
{
    i ^= i >> 16;
    i *= 0x7feb352du;
    i ^= i >> 15;
    i *= 0x846ca68bu;
    return i ^ i >> 16;
}

static int64_t exponential_ns(uint32_t i, int64_t mean_ns)
{
    return (int64_t)(-(double)mean_ns * log((chance(i) + 1.0) / 4294967297.0));
}

/* The first minute: nothing is known of the oscillator, 67 ppm off, nor of the way, all queue. */
Test(clock_target, queues_on_a_way_without_length)
{
    struct clock_filter filter;
    for (uint32_t life = 0; life < 100; life++) {
        clock_filter_init(&filter);
        for (uint32_t i = 0; i < 8; i++) {
            int64_t at = (i < 4 ? 2 * i : 16 * (i - 3)) * NS_PER_S;
            struct clock_sample s = honest(at, exponential_ns(2 * i + 999 * life, 200 * US),
                                           exponential_ns(2 * i + 1 + 999 * life, 200 * US));
            s.wall_ns -= at / 1000000 * 67;
            (void)clock_filter_add(&filter, &s);
            for (int64_t then = at; then < at + 16 * NS_PER_S; then += NS_PER_S) {
                cr_assert_leq(error_ns(&filter, then, -then / 1000000 * 67),
                              clock_target_distance_ns(&filter, RAW + then), "life %u, %u s", life,
                              (unsigned)(then / NS_PER_S));
            }
        }
    }
}

/* Heard too seldom to see what the weather does: the line is far from the curve, and knows. */
Test(clock_target, few_points_on_a_curve)
{
    const double turn = 6.283185307179586 / 1312.0;
    struct clock_filter filter;
    clock_filter_init(&filter);
    for (uint32_t i = 0; i < 1000; i++) {
        int64_t at = (int64_t)i * 144 * NS_PER_S;
        int64_t gained = (int64_t)(1200.0 / turn * -cos(turn * i * 144.0));
        struct clock_sample s =
            honest(at, exponential_ns(2 * i, 17 * US), exponential_ns(2 * i + 1, 17 * US));
        s.wall_ns += gained;
        if (chance(i) % 5 < 2) {
            continue;
        }
        (void)clock_filter_add(&filter, &s);
        cr_assert_leq(error_ns(&filter, at, gained), clock_target_distance_ns(&filter, RAW + at),
                      "sample %d", (int)i);
    }
}

/* A source is turned at 100 ppm for some minutes and says all the time how far it may be off. When
 * that ends nobody tells, and the line runs on for two samples more. */
Test(clock_target, a_source_that_is_set_right)
{
    struct clock_filter filter;
    clock_filter_init(&filter);
    for (int64_t i = 0; i < 200; i++) {
        int64_t at = i * 16 * NS_PER_S;
        int64_t left = 40 * NS_PER_MS - (i - 100) * 1600 * US;
        left = i < 100 || left < 0 ? 0 : left;
        struct clock_sample s = honest(at, 200 * US, 200 * US);
        s.wall_ns += left;
        s.root_dispersion_ns += left;
        (void)clock_filter_add(&filter, &s);
        for (int64_t later = 0; later < 16; later++) {
            int64_t then = at + later * NS_PER_S;
            cr_assert_leq(error_ns(&filter, then, 0), clock_target_distance_ns(&filter, RAW + then),
                          "%d s", (int)(then / NS_PER_S));
        }
    }
}

static const int64_t polls[CLOCK_SOURCES_MAX] = {NS_PER_S, NS_PER_S, NS_PER_S, NS_PER_S};

static struct clock_target combine(const struct clock_filter *filters, size_t count)
{
    struct clock_selection selection = {.decided = true};
    for (size_t i = 0; i < count; i++) {
        selection.verdict[i] = i == 0 ? CLOCK_SOURCE_SELECTED : CLOCK_SOURCE_COMBINED;
    }
    return clock_target_combine(filters, polls, count, &selection, RAW);
}

static void show(struct clock_filter *filter, int64_t offset_ns)
{
    struct clock_sample s = honest(0, 200 * US, 200 * US);
    s.wall_ns += offset_ns;
    clock_filter_init(filter);
    cr_assert_eq(clock_filter_add(filter, &s), CLOCK_FILTER_USED);
}

/* Of two that still touch one may be wrong, of three one, and nobody can see which. */
Test(clock_target, one_of_them_may_be_wrong)
{
    static struct clock_filter filters[3];
    show(&filters[0], 0);
    int64_t distance = clock_target_distance_ns(&filters[0], RAW);
    show(&filters[1], 2 * distance);
    struct clock_target two = combine(filters, 2);
    int64_t bound = two.root_delay_ns / 2 + two.dispersion_ns;
    cr_assert_float_eq((double)(two.offset_ns - (WALL - RAW)), (double)distance, 1000.0);
    cr_assert_geq(bound, two.offset_ns - (WALL - RAW) + distance - 1);
    show(&filters[2], 0);
    struct clock_target three = combine(filters, 3);
    bound = three.root_delay_ns / 2 + three.dispersion_ns;
    cr_assert_geq(bound, three.offset_ns - (WALL - RAW) + distance - 1);
    cr_assert_lt(bound, 2 * distance);
}

Test(clock_target, alike_they_know_what_each_knows)
{
    static struct clock_filter filters[4];
    for (size_t i = 0; i < 4; i++) {
        show(&filters[i], 0);
    }
    int64_t distance = clock_target_distance_ns(&filters[0], RAW);
    for (size_t n = 1; n <= 4; n++) {
        struct clock_target target = combine(filters, n);
        cr_assert_leq(llabs(target.root_delay_ns / 2 + target.dispersion_ns - distance), 2);
    }
}
