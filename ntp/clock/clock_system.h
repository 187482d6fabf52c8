/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The source `system`: the kernel clock that chrony or another daemon keeps, and what adjtimex(2)
 * says about it; and the source `local stratum`: the kernel clock on the operator's word.
 *
 * clock_system_sample() asks the kernel (shell); clock_system_model() turns samples into a model
 * (core).
 */
#ifndef NTSD_NTP_CLOCK_CLOCK_SYSTEM_H
#define NTSD_NTP_CLOCK_CLOCK_SYSTEM_H

#include "common/base/err.h"
#include "ntp/clock/clock_model.h"

/* The kernel's word at one moment. */
struct clock_system_sample {
    int64_t raw_ns;       /* CLOCK_MONOTONIC_RAW and CLOCK_REALTIME at the same moment: the */
    int64_t wall_ns;      /* narrowest of a few bracketed readings */
    int64_t window_ns;    /* width of the bracket: twice the error of the pairing */
    bool synchronised;    /* not STA_UNSYNC, and the kernel state not TIME_ERROR */
    bool drifting;        /* still known, but nobody keeps it; only ClockBound can tell */
    uint8_t leap;         /* NTP_LEAP_NONE, _INSERT, _DELETE */
    int64_t max_error_ns; /* adjtimex maxerror */
    int64_t est_error_ns;
    int64_t tai_offset_s;
};

/* NTS_ESYSTEM: adjtimex refused (errno). Reads only; never sets anything. */
NODISCARD enum nts_err clock_system_sample(struct clock_system_sample *sample);

/* Resolution of the clock as log2 seconds, measured by reading it (RFC 5905 §7.3 precision). */
int8_t clock_system_precision(void);

struct clock_system_options {
    bool trust_kernel;     /* `clock system` */
    uint8_t local_stratum; /* `local stratum N`; 0: not given */
    int8_t precision;
};

/*
 * The next model from this sample and the one before it (`previous` NULL at first): anchored at the
 * sample, rate between the two; a step between them is followed at once (rate then 0).
 * Kernel synchronised and trusted: adjtimex knows neither stratum nor reference id, so the rule of
 * docs/clock.md decides what is said (never invented). Otherwise `local stratum`;
 * otherwise CLOCK_STARTING or CLOCK_LOST.
 */
struct clock_model clock_system_model(const struct clock_system_options *options,
                                      const struct clock_system_sample *sample,
                                      const struct clock_system_sample *previous,
                                      const struct clock_model *before);

/* The line that sources left behind, on the operator's word: `local stratum`. */
struct clock_model clock_local_model(const struct clock_system_options *options,
                                     const struct clock_model *line);

/* 127.127.1.1, or LOCL at stratum 1: what `local stratum` says it takes its time from. */
bool clock_model_is_local(const struct clock_model *model);

#endif
