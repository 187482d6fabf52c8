/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The samples of one source and the line through them. Core.
 *
 * A sample joins the line, is rejected for its delay, or contradicts the line beyond both their
 * uncertainties and is held. Three that contradict it alike are a step: the window begins anew with
 * them. Nothing is ever followed half way.
 */
#ifndef NTSD_NTP_CLOCK_CLOCK_FILTER_H
#define NTSD_NTP_CLOCK_CLOCK_FILTER_H

#include "ntp/clock/clock_fit.h"
#include "ntp/clock/clock_sample.h"

enum {
    CLOCK_FILTER_POINTS = 64,
    CLOCK_FILTER_STEP_SAMPLES = 3,  /* consecutive ones that make a step */
    CLOCK_FILTER_DELAY_SAMPLES = 8, /* consecutive ones that make a longer way the usual one */
};

enum clock_filter_verdict {
    CLOCK_FILTER_USED,
    CLOCK_FILTER_UNUSABLE, /* a field has no sane value, or the sample is not newer */
    CLOCK_FILTER_DELAYED,  /* was so much longer on its way that it says little */
    CLOCK_FILTER_SUSPECT,  /* contradicts the line; held */
    CLOCK_FILTER_BREAK,    /* and is the third to do so alike: a new line begins */
};

struct clock_filter_point {
    int64_t raw_ns;
    int64_t offset_ns; /* the source's time less raw time */
    int64_t delay_ns;
    int64_t root_ns; /* root delay / 2 + root dispersion of the source */
};

struct clock_filter {
    struct clock_filter_point point[CLOCK_FILTER_POINTS]; /* the window, oldest first */
    size_t count;
    struct clock_filter_point held[CLOCK_FILTER_STEP_SAMPLES]; /* suspects */
    size_t held_count;
    int64_t held_shift_ns; /* of the newest suspect: from the line */
    int64_t held_tolerance_ns;
    struct clock_filter_point slow[CLOCK_FILTER_DELAY_SAMPLES]; /* rejected for their delay */
    size_t slow_count;
    struct clock_fit_prior prior;
    struct clock_fit fit; /* of the window, relative to its newest point */
    double noise_var;     /* what scatters without a trace in the delay, ns^2 */
    double excess_share;  /* how much of delay^2 above the least one is error^2 */
    int64_t delay_min_ns;
    struct clock_sample last; /* newest sane sample, whatever was made of it */
    uint8_t reach;
    uint64_t samples;
    uint64_t unusable;
    uint64_t delayed;
    uint64_t outliers;
    uint64_t breaks;
    uint64_t misses;
    uint64_t misses_in_row;
};

void clock_filter_init(struct clock_filter *filter);

enum clock_filter_verdict clock_filter_add(struct clock_filter *filter,
                                           const struct clock_sample *sample);
void clock_filter_miss(struct clock_filter *filter);

/* Believes the held samples: a new line begins with them, the rate being what it was. */
void clock_filter_break(struct clock_filter *filter);

/* Forgets all samples; how fast the oscillator runs is remembered, less precisely. */
void clock_filter_restart(struct clock_filter *filter);

/* The source's clock is known to have been moved by this much (a leap second). */
void clock_filter_shift(struct clock_filter *filter, int64_t step_ns);

/* The line at `raw_ns`; only while clock_filter_has_line(). */
struct clock_filter_line {
    int64_t offset_ns; /* the source's time less raw time */
    double sd_ns;      /* of its random error there */
    double rate_ppb;
    double rate_sd_ppb;
    int64_t used_raw_ns; /* newest sample in it */
};
bool clock_filter_has_line(const struct clock_filter *filter);
struct clock_filter_line clock_filter_line_at(const struct clock_filter *filter, int64_t raw_ns);

#endif
