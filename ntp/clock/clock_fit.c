/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Least squares and the doubts about it. See clock_fit.h.
 */
#include "ntp/clock/clock_fit.h"

#include <math.h>

enum { TEST_POINTS_MIN = 12 }; /* fewer say nothing about curves */

/* How much better than chance a parabola has to be (an F value, more when there are few points, so
 * that chance exceeds it about once in fifty), and by how many standard deviations too few runs of
 * one sign there have to be. Both err towards the shorter window, which costs a little precision; a
 * curve taken for a line costs bias.
 */
#define PARABOLA_F_MAX 5.0
#define PARABOLA_F_FEW 8.0
#define RUNS_Z_MIN     (-3.0)

struct sums {
    double w;
    double x;
    double y;
};

static double weight(const struct clock_fit_point *point)
{
    return 1.0 / (point->sd_ns * point->sd_ns);
}

static struct sums sums_of(const struct clock_fit_point *points, size_t count)
{
    struct sums sum = {0};
    for (size_t i = 0; i < count; i++) {
        double w = weight(&points[i]);
        sum.w += w;
        sum.x += w * points[i].x_s;
        sum.y += w * points[i].y_ns;
    }
    return sum;
}

double clock_fit_at(const struct clock_fit *fit, double x_s)
{
    return fit->mean_y_ns + fit->rate_ppb * (x_s - fit->mean_x_s);
}

double clock_fit_sd_at(const struct clock_fit *fit, double x_s)
{
    return hypot(fit->mean_sd_ns, fit->rate_sd_ppb * (x_s - fit->mean_x_s));
}

struct clock_fit clock_fit_line(const struct clock_fit_point *points, size_t count,
                                const struct clock_fit_prior *prior)
{
    struct sums sum = sums_of(points, count);
    struct clock_fit fit = {.mean_x_s = sum.x / sum.w,
                            .mean_y_ns = sum.y / sum.w,
                            .mean_sd_ns = sqrt(1.0 / sum.w),
                            .count = count};
    /* Around the means, offset and rate are independent, so the prior touches the rate alone. */
    double prior_w = 1.0 / (prior->sd_ppb * prior->sd_ppb);
    double xx = prior_w;
    double xy = prior_w * prior->rate_ppb;
    for (size_t i = 0; i < count; i++) {
        double w = weight(&points[i]);
        double x = points[i].x_s - fit.mean_x_s;
        xx += w * x * x;
        xy += w * x * (points[i].y_ns - fit.mean_y_ns);
    }
    fit.rate_ppb = xy / xx;
    fit.rate_sd_ppb = sqrt(1.0 / xx);
    for (size_t i = 0; i < count; i++) {
        double residual = points[i].y_ns - clock_fit_at(&fit, points[i].x_s);
        fit.chi2 += weight(&points[i]) * residual * residual;
    }
    return fit;
}

/* By how much chi2 falls when a parabola is fitted instead: its part that is neither constant nor
 * line is taken alone, so nothing has to be solved again. */
static double parabola_gain(const struct clock_fit *fit, const struct clock_fit_point *points,
                            size_t count)
{
    double moment[4] = {0};
    for (size_t i = 0; i < count; i++) {
        double x = points[i].x_s - fit->mean_x_s;
        double term = weight(&points[i]);
        for (int k = 0; k < 4; k++) {
            moment[k] += term;
            term *= x;
        }
    }
    if (moment[2] <= 0.0) {
        return 0.0;
    }
    double along = 0.0;
    double square = 0.0;
    for (size_t i = 0; i < count; i++) {
        double x = points[i].x_s - fit->mean_x_s;
        double curve = x * x - moment[2] / moment[0] - x * moment[3] / moment[2];
        double residual = points[i].y_ns - clock_fit_at(fit, points[i].x_s);
        along += weight(&points[i]) * residual * curve;
        square += weight(&points[i]) * curve * curve;
    }
    return square > 0.0 ? along * along / square : 0.0;
}

static bool parabola_is_better(const struct clock_fit *fit, const struct clock_fit_point *points,
                               size_t count)
{
    double gain = parabola_gain(fit, points, count);
    double freedom = (double)count - 3.0;
    double rest = fmax(fit->chi2 - gain, 0.0) / freedom;
    return gain > PARABOLA_F_MAX * (1.0 + PARABOLA_F_FEW / freedom) * rest;
}

/* Wald and Wolfowitz: how many runs of one sign chance would make. */
static bool runs_are_long(const struct clock_fit *fit, const struct clock_fit_point *points,
                          size_t count)
{
    double above = 0.0;
    double runs = 1.0;
    bool was_above = false;
    for (size_t i = 0; i < count; i++) {
        bool is_above = points[i].y_ns > clock_fit_at(fit, points[i].x_s);
        above += is_above ? 1.0 : 0.0;
        runs += i > 0 && is_above != was_above ? 1.0 : 0.0;
        was_above = is_above;
    }
    double n = (double)count;
    double pairs = 2.0 * above * (n - above);
    double variance = pairs * (pairs - n) / (n * n * (n - 1.0));
    return variance > 0.0 && (runs - (pairs / n + 1.0)) / sqrt(variance) < RUNS_Z_MIN;
}

bool clock_fit_is_line(const struct clock_fit *fit, const struct clock_fit_point *points,
                       size_t count)
{
    if (count < TEST_POINTS_MIN) {
        return true;
    }
    return !parabola_is_better(fit, points, count) && !runs_are_long(fit, points, count);
}
