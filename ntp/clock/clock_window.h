/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The samples of one source that are believed, as long a past as lies on one line, and that line.
 * Learns how far they scatter and how much of that shows in their delay. Core.
 */
#ifndef NTSD_NTP_CLOCK_CLOCK_WINDOW_H
#define NTSD_NTP_CLOCK_CLOCK_WINDOW_H

#include "ntp/clock/clock_fit.h"

enum { CLOCK_WINDOW_POINTS = 64 };

/* How fast errors grow that nobody measures: ClockBound's figure for an oscillator in any weather.
 */
#define CLOCK_DRIFT_PPB INT64_C(50000)
/* So many standard deviations are taken for a bound. */
#define CLOCK_CHANCE_SD 5.0

struct clock_point {
    int64_t raw_ns;
    int64_t offset_ns; /* the source's time less raw time */
    int64_t delay_ns;  /* >= 0 */
    int64_t root_ns;   /* root delay / 2 + root dispersion of the source, >= 0 */
};

/* error^2 = noise_var + excess_share x (delay - least delay)^2, in the mean. */
struct clock_noise {
    double noise_var; /* ns^2 */
    double excess_share;
};

struct clock_window {
    struct clock_point point[CLOCK_WINDOW_POINTS]; /* oldest first */
    size_t count;
    struct clock_fit_prior prior;
    struct clock_fit fit; /* relative to the newest point */
    struct clock_noise noise;
    bool learned;      /* the noise comes from residuals, not from a guess */
    double scatter_ns; /* standard deviation of a sample with the least delay, as things are now */
    int64_t delay_min_ns;
    double excess_mean_ns;
    double sure_ns;    /* by so much the line is off at most, at the newest point, */
    double growth_ppb; /* and so fast that grows */
    bool has_usual;
    double usual_ppb; /* the rate in the mean of the last hour */
};

/* Empty, with a rate of 0 +- 100 ppm. */
void clock_window_init(struct clock_window *window);

/* A point newer than all others; the oldest ones leave when there is no room or when they do not
 * lie on the newest ones' line. */
void clock_window_push(struct clock_window *window, const struct clock_point *point);

/* From now on this is the least delay, if it is less: old points weigh less by it. */
void clock_window_lower_delay(struct clock_window *window, int64_t delay_ns);

/* Begins anew with these. What is known about the rate is kept if they agree with it. */
void clock_window_restart(struct clock_window *window, const struct clock_point *points,
                          size_t count);

/* The line at `raw_ns`, from the newest point's offset: only when count > 0. */
double clock_window_ahead_ns(const struct clock_window *window, int64_t raw_ns);
double clock_window_sd_ns(const struct clock_window *window, int64_t raw_ns);

/* How far the line is off there at most. */
double clock_window_bound_ns(const struct clock_window *window, int64_t raw_ns);

#endif
