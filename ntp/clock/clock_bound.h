/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Amazon's ClockBound daemon knows about the host's clock, out of the file that it shares:
 * layout version 2, as its document PROTOCOL.md and its own reader have it. Core.
 *
 *   | magic (2 words) | size (4) | version (2) | generation (2) |  0
 *   |            as of: seconds (8), nanoseconds (8)            | 16
 *   |          void after: seconds (8), nanoseconds (8)         | 32
 *   |            bound in ns (8)  |  disruption marker (8)      | 48
 *   |  max drift in ppb (4) | status (4) | disruption support (1), padding (7) | 64
 *
 * In the byte order of the host. Times are CLOCK_MONOTONIC. The bound is that of CLOCK_REALTIME.
 */
#ifndef NTSD_NTP_CLOCK_CLOCK_BOUND_H
#define NTSD_NTP_CLOCK_CLOCK_BOUND_H

#include "common/base/cursor.h"
#include "common/base/err.h"
#include "ntp/clock/clock_system.h"

enum { CLOCK_BOUND_VERSION = 2, CLOCK_BOUND_LEN = 80 };

struct clock_bound {
    uint16_t version; /* set also when it is one we do not know */
    uint16_t generation;
    int64_t as_of_ns;
    int64_t void_after_ns;
    int64_t bound_ns;
    uint32_t drift_ppb;
    int32_t status; /* the file's own number */
};

/*
 * One copy of the file's beginning. NTS_ESHORT: too short for what it claims. NTS_ENOTFOUND: not
 * written yet, or being written. NTS_EFORMAT: not ClockBound's, or values that cannot be.
 * NTS_ELIMIT: of a layout we do not know, see `version`.
 */
NODISCARD enum nts_err clock_bound_parse(struct span copy, struct clock_bound *bound);

enum clock_bound_trust {
    CLOCK_BOUND_NONE,    /* unknown, disrupted, or too old to be believed */
    CLOCK_BOUND_KEPT,    /* the host's clock is kept */
    CLOCK_BOUND_DRIFTING /* it runs free; the bound grows and still holds */
};

/* What it says at `now`, and how large the error may be by then. */
enum clock_bound_trust clock_bound_at(const struct clock_bound *bound, struct mono_ns now,
                                      int64_t *bound_ns);

/*
 * ClockBound knows more than the kernel's status: it takes the place of adjtimex's flag and
 * maxerror in `sample`.
 */
void clock_bound_apply(const struct clock_bound *bound, struct mono_ns now,
                       struct clock_system_sample *sample);

#endif
