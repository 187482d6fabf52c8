/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which sources to believe: intersection (RFC 5905 section 11.2.1) among three or more, and a rule
 * of our own where fewer cannot vote. Core. The rules in words are in docs/clock.md.
 */
#ifndef NTSD_NTP_CLOCK_CLOCK_SELECT_H
#define NTSD_NTP_CLOCK_CLOCK_SELECT_H

#include "ntp/clock/clock_report.h"

#include <stdbool.h>
#include <stddef.h>

/* A source says: served time is off by offset_ns, give or take distance_ns. */
struct clock_contender {
    int64_t offset_ns;
    int64_t distance_ns; /* > 0 */
    bool usable;
    bool wide; /* has a voice, but is too far away to be followed */
    bool prefer;
    bool steady;     /* has agreed with others, and has not stepped since */
    bool distrusted; /* was a falseticker, or may have been; nobody has vouched for it since */
};

struct clock_ballot {
    const struct clock_contender *contender;
    size_t count;         /* up to CLOCK_SOURCES_MAX */
    size_t peer;          /* who was selected last; CLOCK_SOURCES_MAX: nobody */
    bool line_is_trusted; /* served time itself may be believed, within line_bound_ns */
    int64_t line_bound_ns;
};

struct clock_selection {
    bool decided; /* false: nobody is followed, `peer` is CLOCK_SOURCES_MAX */
    size_t peer;
    uint8_t verdict[CLOCK_SOURCES_MAX]; /* enum clock_verdict; SILENT for who is not usable */
    bool distrusted[CLOCK_SOURCES_MAX];
};

struct clock_selection clock_select(const struct clock_ballot *ballot);

/* The same without a decision: it is too early for one. */
struct clock_selection clock_select_nobody(const struct clock_ballot *ballot);

#endif
