/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One simulated life of a clock: scenario in, figures out.
 */
#ifndef NTSD_TESTS_SIM_SIM_RUN_H
#define NTSD_TESTS_SIM_SIM_RUN_H

#include "ntp/clock/clock_discipline.h"
#include "tests/sim/sim_world.h"

enum { SIM_SOURCES_MAX = 4, SIM_MARKS_MAX = 6 };

/* At that moment the clock has to be in that state. */
struct sim_mark {
    double at_s;
    enum clock_state state;
};

struct sim_limits {
    double rms_us; /* each 0: no limit */
    double worst_us;
    double first_ms_s;   /* when the error is first under a millisecond */
    double bound_10ms_s; /* when the bound is first under ten */
    int64_t steps;       /* exactly so many */
    struct sim_mark mark[SIM_MARKS_MAX];
    bool never_starts;
};

struct sim_scenario {
    const char *name; /* words-with-dashes */
    double hours;
    double settle_s; /* RMS and worst error are of what comes after */
    double max_error_ms;
    struct sim_oscillator oscillator;
    struct sim_scale scale;
    struct sim_source source[SIM_SOURCES_MAX];
    size_t source_count;
    struct sim_span doubt; /* what is assumed of the sources does not hold: not judged */
    double restart_at_s;   /* the process is killed; its successor comes two seconds later */
    struct sim_limits limits;
};

struct sim_moment {
    double at_s;
    double error_us;
    double bound_us;
    enum clock_state state;
};

/* What the plot needs; NULL where it is not wanted. */
struct sim_trace {
    struct sim_moment *moment;
    size_t count;
    size_t room;
    double every_s;
};

struct sim_figures {
    double rms_us;
    double worst_us;
    double bound_us;     /* in the mean */
    double first_ms_s;   /* -1: never */
    double bound_10ms_s; /* -1: never */
    double inside_share; /* of the moments served */
    double state_s[CLOCK_LOST + 1];
    int64_t steps;
    uint64_t judged;
    uint64_t jumps;  /* of served time, not announced: must not be */
    uint64_t untold; /* changes of state without a word, or a word without one */
    size_t marks_missed;
    bool leap_was_said;
};

#define SIM_SEED UINT64_C(0x636c6f636b)

struct sim_figures sim_run(const struct sim_scenario *scenario, uint64_t seed,
                           struct sim_trace *trace);

#endif
