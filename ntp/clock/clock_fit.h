/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A weighted least squares line through points, with its uncertainty and two tests of whether a
 * line is what they lie on. Core, plain arithmetic; points are small differences (seconds and
 * nanoseconds from a reference the caller keeps), so doubles are exact enough.
 */
#ifndef NTSD_NTP_CLOCK_CLOCK_FIT_H
#define NTSD_NTP_CLOCK_CLOCK_FIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct clock_fit_point {
    double x_s;
    double y_ns;
    double sd_ns; /* > 0 */
};

/* What is believed about the rate before any point is seen. */
struct clock_fit_prior {
    double rate_ppb;
    double sd_ppb;
};

/* y(x) = mean_y + rate (x - mean_x), the two terms being independent of each other. */
struct clock_fit {
    double mean_x_s;
    double mean_y_ns;
    double mean_sd_ns;
    double rate_ppb;
    double rate_sd_ppb;
    double chi2; /* sum of squared residuals in units of their sd */
    size_t count;
};

/* `count` >= 1. The prior joins as one more observation of the rate. The uncertainties take the
 * points' sd at their word. */
struct clock_fit clock_fit_line(const struct clock_fit_point *points, size_t count,
                                const struct clock_fit_prior *prior);

double clock_fit_at(const struct clock_fit *fit, double x_s);
double clock_fit_sd_at(const struct clock_fit *fit, double x_s);

/*
 * False when the points lie on a curve rather than on this line around them: a parabola explains
 * significantly more, or the residuals keep their sign for too long. Points in order of x.
 */
bool clock_fit_is_line(const struct clock_fit *fit, const struct clock_fit_point *points,
                       size_t count);

#endif
