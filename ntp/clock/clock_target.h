/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the lines of the sources to the one that served time is led to: what each source amounts to
 * at a moment, and the combination of those that are followed with what is known of its error.
 * Core.
 */
#ifndef NTSD_NTP_CLOCK_CLOCK_TARGET_H
#define NTSD_NTP_CLOCK_CLOCK_TARGET_H

#include "ntp/clock/clock_filter.h"
#include "ntp/clock/clock_select.h"

/* The line that is followed, and a bound on its error: root_delay / 2 + dispersion, growing. */
struct clock_target {
    bool valid; /* something has been followed */
    int64_t raw_ns;
    int64_t offset_ns; /* served time less raw time, at raw_ns */
    double rate_ppb;
    int64_t root_delay_ns;
    int64_t dispersion_ns; /* at raw_ns */
    int64_t drift_ppb;     /* how fast that grows */
    int64_t used_raw_ns;   /* the newest sample in it */
    int64_t heard_raw_ns;  /* the newest sample that confirmed it */
    int64_t poll_ns;       /* the longest poll interval among what is followed */
};

int64_t clock_target_offset_ns(const struct clock_target *target, int64_t raw_ns);
int64_t clock_target_dispersion_ns(const struct clock_target *target, int64_t raw_ns);

/* Root distance of a source that has a line: by so much that is off at most. */
int64_t clock_target_distance_ns(const struct clock_filter *filter, int64_t raw_ns);

/* The combination of the followed ones of `count` sources; the selection must be decided. */
struct clock_target clock_target_combine(const struct clock_filter *filter, const int64_t *poll_ns,
                                         size_t count, const struct clock_selection *selection,
                                         int64_t raw_ns);

#endif
