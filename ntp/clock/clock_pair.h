/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CLOCK_MONOTONIC_RAW and CLOCK_REALTIME at one moment: what moves the kernel's stamps, which are
 * of the second, onto the first, so that a step of the host's wall clock has no part in what is
 * measured. clock_pair_read() asks the kernel (shell), the rest is inline and pure.
 */
#ifndef NTSD_NTP_CLOCK_CLOCK_PAIR_H
#define NTSD_NTP_CLOCK_CLOCK_PAIR_H

#include "common/base/time.h"
#include "ntp/saturate.h"

struct clock_pair {
    int64_t raw_ns;    /* CLOCK_MONOTONIC_RAW */
    int64_t wall_ns;   /* CLOCK_REALTIME */
    int64_t window_ns; /* width of the bracket: twice the error of the pairing */
};

/* The narrowest of a few bracketed readings. Any thread. */
struct clock_pair clock_pair_read(void);

/* A stamp of CLOCK_REALTIME on the raw clock. Right when both clocks ran alike between stamp and
 * pair, so the pair has to be of about the same moment. */
static inline struct mono_ns clock_pair_raw(const struct clock_pair *pair, struct wall_ns stamp)
{
    return (struct mono_ns){.ns = sat_add(pair->raw_ns, sat_sub(stamp.ns, pair->wall_ns))};
}

#endif
