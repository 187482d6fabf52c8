/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The line through points: exact where it can be, uncertain as it should be, and doubted on curves.
 */
#include "ntp/clock/clock_fit.h"

#include <criterion/criterion.h>
#include <math.h>

enum { POINTS = 32 };

static const struct clock_fit_prior vague = {.rate_ppb = 0.0, .sd_ppb = 1e6};

/* Scatter that is the same each time, without a trend: signs as irregular as a coin's. */
static double scatter(size_t i)
{
    uint32_t z = (uint32_t)i * 2654435761u;
    z ^= z >> 15;
    z *= 2246822519u;
    z ^= z >> 13;
    return (double)z / 4294967296.0 - 0.5;
}

static void make_points(struct clock_fit_point *points, double rate_ppb, double bend, double noise)
{
    for (size_t i = 0; i < POINTS; i++) {
        double x = 16.0 * ((double)i - POINTS + 1.0);
        points[i] = (struct clock_fit_point){.x_s = x,
                                             .y_ns = 1000.0 + rate_ppb * x + bend * x * x +
                                                     noise * scatter(i),
                                             .sd_ns = 100.0};
    }
}

Test(clock_fit, points_on_a_line_are_found_again)
{
    struct clock_fit_point points[POINTS];
    make_points(points, 20000.0, 0.0, 0.0);
    struct clock_fit fit = clock_fit_line(points, POINTS, &vague);
    cr_assert_float_eq(fit.rate_ppb, 20000.0, 0.01);
    cr_assert_float_eq(clock_fit_at(&fit, 0.0), 1000.0, 0.01);
    cr_assert_float_eq(clock_fit_at(&fit, 3600.0), 1000.0 + 20000.0 * 3600.0, 50.0);
    cr_assert_eq(fit.count, POINTS);
}

Test(clock_fit, uncertainty_is_least_in_the_middle_and_grows_outwards)
{
    struct clock_fit_point points[POINTS];
    make_points(points, 0.0, 0.0, 100.0);
    struct clock_fit fit = clock_fit_line(points, POINTS, &vague);
    cr_assert_float_eq(clock_fit_sd_at(&fit, fit.mean_x_s), 100.0 / sqrt(POINTS), 1e-6);
    cr_assert_float_eq(clock_fit_sd_at(&fit, 0.0), 2.0 * 100.0 / sqrt(POINTS), 1.0);
    cr_assert_gt(clock_fit_sd_at(&fit, 1000.0), clock_fit_sd_at(&fit, 0.0));
    cr_assert_float_eq(clock_fit_sd_at(&fit, 1e6), 1e6 * fit.rate_sd_ppb, 1e3);
}

Test(clock_fit, one_point_says_nothing_about_the_rate)
{
    const struct clock_fit_point point = {.x_s = 0.0, .y_ns = 5.0, .sd_ns = 2.0};
    const struct clock_fit_prior prior = {.rate_ppb = 7.0, .sd_ppb = 100000.0};
    struct clock_fit fit = clock_fit_line(&point, 1, &prior);
    cr_assert_float_eq(fit.rate_ppb, 7.0, 1e-9);
    cr_assert_float_eq(fit.rate_sd_ppb, 100000.0, 1e-6);
    cr_assert_float_eq(clock_fit_at(&fit, 0.0), 5.0, 1e-9);
    cr_assert_float_eq(clock_fit_sd_at(&fit, 0.0), 2.0, 1e-9);
}

/* Four samples within six seconds, 30 us uncertain each: an honest rate is uncertain by some ppm.
 */
Test(clock_fit, a_short_baseline_does_not_make_a_rate)
{
    struct clock_fit_point points[4];
    for (size_t i = 0; i < 4; i++) {
        points[i] = (struct clock_fit_point){
            .x_s = 2.0 * (double)i - 6.0, .y_ns = i == 3 ? 60000.0 : 0.0, .sd_ns = 30000.0};
    }
    const struct clock_fit_prior prior = {.rate_ppb = 0.0, .sd_ppb = 100000.0};
    struct clock_fit fit = clock_fit_line(points, 4, &prior);
    cr_assert_gt(fit.rate_sd_ppb, 5000.0);
    cr_assert_lt(fabs(fit.rate_ppb), 3.0 * fit.rate_sd_ppb);
}

Test(clock_fit, heavy_points_count_more)
{
    const struct clock_fit_point points[] = {{.x_s = -1.0, .y_ns = 0.0, .sd_ns = 1.0},
                                             {.x_s = -1.0, .y_ns = 1000.0, .sd_ns = 100.0}};
    struct clock_fit fit = clock_fit_line(points, 2, &vague);
    cr_assert_float_eq(fit.mean_y_ns, 0.1, 0.01);
}

Test(clock_fit, lines_pass_and_curves_do_not)
{
    static const struct {
        double bend; /* ns/s^2: half the change of the rate in a second */
        bool line;
    } cases[] = {{0.0, true}, {1e-5, true}, {0.01, false}, {-0.01, false}, {1.0, false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct clock_fit_point points[POINTS];
        make_points(points, 100.0, cases[i].bend, 200.0);
        struct clock_fit fit = clock_fit_line(points, POINTS, &vague);
        cr_assert_eq(clock_fit_is_line(&fit, points, POINTS), cases[i].line, "case %zu", i);
    }
}

/* A kink has hardly a parabola in it, but long runs of one sign. */
Test(clock_fit, long_runs_are_no_line)
{
    struct clock_fit_point points[POINTS];
    make_points(points, 0.0, 0.0, 0.0);
    for (size_t i = 0; i < POINTS; i++) {
        points[i].y_ns = i / 8 % 2 == 0 ? 100.0 : -100.0;
    }
    struct clock_fit fit = clock_fit_line(points, POINTS, &vague);
    cr_assert_not(clock_fit_is_line(&fit, points, POINTS));
}

Test(clock_fit, a_few_points_are_not_doubted)
{
    struct clock_fit_point points[POINTS];
    make_points(points, 0.0, 1.0, 0.0);
    struct clock_fit fit = clock_fit_line(points, 8, &vague);
    cr_assert(clock_fit_is_line(&fit, points, 8));
}
