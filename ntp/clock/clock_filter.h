/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What to make of each sample of one source. Core.
 *
 * It joins the line, or is rejected for its delay, or contradicts the line beyond the uncertainty
 * of both and is held. Three in a row that contradict it alike are a step: the window begins anew
 * with them. Nothing is ever followed half way.
 */
#ifndef NTSD_NTP_CLOCK_CLOCK_FILTER_H
#define NTSD_NTP_CLOCK_CLOCK_FILTER_H

#include "ntp/clock/clock_sample.h"
#include "ntp/clock/clock_window.h"

enum {
    CLOCK_FILTER_STEP_SAMPLES = 3, /* consecutive ones that make a step */
    CLOCK_FILTER_SLOW_SAMPLES = 8, /* consecutive ones that make a longer way the usual one */
};

enum clock_filter_verdict {
    CLOCK_FILTER_USED,
    CLOCK_FILTER_UNUSABLE, /* a field has no sane value, or the sample is not newer */
    CLOCK_FILTER_DELAYED,  /* was so much longer on its way that it says little */
    CLOCK_FILTER_SUSPECT,  /* contradicts the line; held */
    CLOCK_FILTER_BREAK,    /* and is the third to do so alike: a new line began */
};

struct clock_filter_counts {
    uint64_t samples;
    uint64_t unusable;
    uint64_t delayed;
    uint64_t outliers;
    uint64_t breaks;
    uint64_t misses;
};

struct clock_filter {
    struct clock_window window;
    struct clock_point held[CLOCK_FILTER_STEP_SAMPLES]; /* suspects */
    size_t held_count;
    int64_t held_shift_ns; /* of the newest suspect from the line, and how far it could be off */
    int64_t held_tolerance_ns;
    double held_turn_ppb; /* how fast the last two of them go away from the line */
    struct clock_point slow[CLOCK_FILTER_SLOW_SAMPLES]; /* rejected for their delay */
    size_t slow_count;
    struct clock_sample last;     /* newest sane sample, whatever was made of it */
    struct clock_sample suspect;  /* newest one that is held */
    struct clock_sample accepted; /* newest one in the line: what it says of the source counts */
    int64_t confirmed_raw_ns;     /* newest one that did not contradict the line */
    uint64_t misses_in_row;
    struct clock_filter_counts counts;
    uint8_t reach; /* the last eight polls, newest in the lowest bit */
};

void clock_filter_init(struct clock_filter *filter);

enum clock_filter_verdict clock_filter_add(struct clock_filter *filter,
                                           const struct clock_sample *sample);
void clock_filter_miss(struct clock_filter *filter);

/* Believes the held samples, if there are any: a new line begins with them. */
void clock_filter_break(struct clock_filter *filter);

/* What others know about the rate, before the first sample. */
void clock_filter_expect(struct clock_filter *filter, const struct clock_fit_prior *prior);

/* Forgets all samples; how fast the oscillator runs is remembered, less precisely. */
void clock_filter_restart(struct clock_filter *filter);

/* The source's clock is known to have been moved by this much (a leap second). */
void clock_filter_shift(struct clock_filter *filter, int64_t step_ns);

/* The line at a moment; only while clock_filter_has_line(). */
struct clock_filter_line {
    int64_t offset_ns; /* the source's time less raw time */
    double sd_ns;      /* of its random error there */
    double rate_ppb;
    double rate_sd_ppb;
    double growth_ppb;   /* how fast the bound on its error grows */
    int64_t used_raw_ns; /* newest sample in it */
};
bool clock_filter_has_line(const struct clock_filter *filter);
struct clock_filter_line clock_filter_line_at(const struct clock_filter *filter, int64_t raw_ns);

#endif
