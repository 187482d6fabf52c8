/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulated world: true time, an oscillator that wanders from it, and time sources behind
 * networks. Seconds and microseconds are doubles here; what the clock sees is nanoseconds.
 */
#ifndef NTSD_TESTS_SIM_SIM_WORLD_H
#define NTSD_TESTS_SIM_SIM_WORLD_H

#include "common/base/time.h"
#include "ntp/clock/clock_sample.h"
#include "tests/sim/sim_random.h"

#include <stdbool.h>

/* From..to, in seconds of true time; `every` > 0: again and again. */
struct sim_span {
    double from_s;
    double to_s;
    double every_s;
};

struct sim_oscillator {
    double ppm;
    double swing_ppm; /* a sine, as of temperature */
    double swing_period_s;
    double walk_ppb;    /* random walk of the frequency: standard deviation after a second */
    double pause_at_s;  /* the machine, and with it the raw clock, stands still here ... */
    double pause_for_s; /* ... for so long, in whole seconds */
};

enum sim_jitter { SIM_JITTER_GAUSSIAN, SIM_JITTER_EXPONENTIAL };

struct sim_source {
    double poll_s;
    double forward_us; /* the way there and back without any queue */
    double back_us;
    double jitter_us; /* of each way */
    enum sim_jitter jitter;
    double loss;
    struct sim_span queue; /* when the way there takes longer, exponentially, by queue_us */
    double queue_us;
    struct sim_span detour; /* when the way there takes longer by exactly detour_us */
    double detour_us;
    double error_us; /* of the source itself; honest when within what it says */
    double root_delay_us;
    double root_dispersion_us;
    struct sim_span silent;
    double lie_from_s;      /* from then on it shows ... */
    double lie_s;           /* ... so much too late a time */
    struct sim_span frozen; /* when it shows the time of from_s all along */
    double lie_ppm;         /* ... or one that runs away so fast */
    struct sim_span glitch; /* single answers that are off by glitch_s */
    double glitch_s;
    struct sim_span boast;   /* when it says to be without any error or delay, at stratum 1 */
    struct sim_span confess; /* when it says that its error may be confess_us */
    double confess_us;
    struct sim_span recovery; /* its error falls from recovery_us to none, and it says so */
    double recovery_us;
    int answers_each; /* so many polls one answer; 0: all */
    bool phc;         /* a hardware clock: stratum 0, no burst */
    bool prefer;
    bool smeared;
    bool silent_on_leap; /* does not announce it */
};

/* What happens to time itself. */
struct sim_scale {
    int leap;            /* +1: a second is inserted at the end of the month, -1: deleted */
    double smear_from_s; /* > 0: that second is smeared over a day from here */
};

struct sim_world {
    struct sim_oscillator oscillator;
    struct sim_scale scale;
    struct sim_random random;
    double now_s;    /* what follows is known up to here */
    double ahead_ns; /* raw clock less true time */
    double walked_ppm;
    double rate_ppm; /* since now_s */
};

/* True time begins two hours before the end of a month. */
#define SIM_LEAP_S 7200.0

void sim_world_init(struct sim_world *world, const struct sim_oscillator *oscillator,
                    const struct sim_scale *scale, uint64_t seed);

/* Lets time pass; moments asked for must lie within the second after it. */
void sim_world_advance(struct sim_world *world, double now_s);

bool sim_world_is_paused(const struct sim_world *world);

int64_t sim_world_raw_ns(const struct sim_world *world, double at_s);
int64_t sim_world_wall_ns(const struct sim_world *world, double at_s); /* the truth */

bool sim_span_contains(const struct sim_span *span, double at_s);

/* Asks at `at_s`; false: no answer. `done_s`: when it has arrived. */
bool sim_source_ask(const struct sim_source *source, struct sim_world *world, double at_s,
                    struct clock_sample *sample, double *done_s);

#endif
