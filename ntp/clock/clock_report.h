/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the discipline tells the operator about its sources, for `ntsctl status`, the log and
 * /metrics: a board value. Plain data and names.
 */
#ifndef NTSD_NTP_CLOCK_CLOCK_REPORT_H
#define NTSD_NTP_CLOCK_CLOCK_REPORT_H

#include "ntp/clock/clock_sample.h"

enum { CLOCK_SOURCE_NAME_LEN = 64 };

/* What the selection made of a source; the worst first. */
enum clock_verdict {
    CLOCK_SOURCE_SILENT,      /* no usable sample yet, or none for eight polls */
    CLOCK_SOURCE_FAR,         /* its root distance is beyond use */
    CLOCK_SOURCE_FALSETICKER, /* contradicts the others, or the line they left behind */
    CLOCK_SOURCE_CANDIDATE,   /* usable, but nothing could be decided (yet) */
    CLOCK_SOURCE_SPARE,       /* agrees, but another is preferred or so much nearer */
    CLOCK_SOURCE_COMBINED,    /* followed, together with the selected one */
    CLOCK_SOURCE_SELECTED,    /* followed, and named as the reference */
    CLOCK_VERDICTS
};
const char *clock_verdict_name(enum clock_verdict verdict); /* static, lower case */

/* Fixed size, whole words. Times on CLOCK_MONOTONIC_RAW; 0 where there was nothing yet. */
struct clock_source_report {
    char name[CLOCK_SOURCE_NAME_LEN];
    int64_t offset_ns; /* source less served time */
    int64_t sd_ns;     /* of that offset: its random part */
    int64_t rate_ppb;  /* of the source against the raw clock */
    int64_t rate_sd_ppb;
    int64_t delay_ns;         /* the least of the samples in use */
    int64_t root_distance_ns; /* now: all that is known about its error */
    int64_t poll_ns;
    int64_t last_raw_ns;   /* newest sample, whatever was made of it */
    int64_t used_raw_ns;   /* newest sample that entered the line */
    uint64_t samples;      /* handed in, since the start */
    uint64_t unusable;     /* of them: no sane value in every field */
    uint64_t delayed;      /* ... rejected for their delay */
    uint64_t outliers;     /* ... rejected for contradicting the line */
    uint64_t breaks;       /* how often the source (or the raw clock) stepped */
    uint64_t misses;       /* polls without an answer */
    uint32_t reference_id; /* as in the newest sample */
    uint32_t window;       /* samples the line is fitted to */
    uint8_t verdict;       /* enum clock_verdict */
    uint8_t reach;         /* the last eight polls, newest in the lowest bit */
    uint8_t stratum;
    uint8_t leap;
    uint8_t prefer;
    uint8_t smeared;
    uint8_t reserved[2];
};

struct clock_report {
    uint64_t count;
    int64_t remaining_ns;  /* what is still to be slewed: target less served time */
    int64_t frequency_ppb; /* of the target line, without the slew */
    int64_t bound_ns;      /* on the error, at the moment of the report; INT64_MAX: unknown */
    uint64_t steps;
    struct clock_source_report source[CLOCK_SOURCES_MAX];
};
_Static_assert(sizeof(struct clock_report) % 8 == 0, "board values are whole words");

#endif
