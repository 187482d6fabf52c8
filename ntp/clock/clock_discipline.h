/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From samples of the sources to the published line: which sources are followed, how the line is
 * turned towards them, how large its error can be, and in which state that leaves the clock. Core:
 * no allocation, clock or log; one thread. The rules are in docs/clock.md.
 *
 * Samples, misses and polls go in as they happen; clock_discipline_update() is called each second
 * and after each sample, and makes the model to publish.
 */
#ifndef NTSD_NTP_CLOCK_CLOCK_DISCIPLINE_H
#define NTSD_NTP_CLOCK_CLOCK_DISCIPLINE_H

#include "ntp/clock/clock_filter.h"
#include "ntp/clock/clock_leap.h"
#include "ntp/clock/clock_model.h"
#include "ntp/clock/clock_report.h"
#include "ntp/clock/clock_select.h"
#include "ntp/clock/clock_target.h"

/* Why the state changed or the line was stepped; each is a metric. */
enum clock_reason {
    CLOCK_REASON_NONE,
    CLOCK_REASON_FIRST,     /* first synchronisation: the line was set */
    CLOCK_REASON_RETURNED,  /* a trustworthy source is back */
    CLOCK_REASON_SILENT,    /* no sample of what was followed for eight polls */
    CLOCK_REASON_DISAGREE,  /* for eight polls the sources contradicted each other or the line */
    CLOCK_REASON_FAR,       /* for eight polls all of them were too far away to be followed */
    CLOCK_REASON_BOUND,     /* the bound on the error exceeded what is allowed */
    CLOCK_REASON_SUSPENDED, /* the host slept: nothing measured before holds */
    CLOCK_REASON_STEP,      /* step: three consecutive samples of a source said so */
    CLOCK_REASON_MAJORITY,  /* step: most sources said so at once */
    CLOCK_REASON_RESELECT,  /* step: another source is followed */
    CLOCK_REASON_LEAP,      /* step: the announced leap second */
    CLOCK_REASONS
};
const char *clock_reason_name(enum clock_reason reason); /* static, lower case, snake_case */

struct clock_source_options {
    char name[CLOCK_SOURCE_NAME_LEN];
    bool prefer;
    bool smeared;    /* its leap seconds are smeared: none is announced while it is followed */
    int64_t poll_ns; /* its longest poll interval */
};

struct clock_discipline_options {
    struct clock_source_options source[CLOCK_SOURCES_MAX];
    size_t source_count;
    int64_t max_error_ns; /* beyond this bound the clock is lost */
    int8_t precision;
};

struct clock_discipline {
    struct clock_discipline_options options;
    struct clock_filter filter[CLOCK_SOURCES_MAX];
    int64_t poll_ns[CLOCK_SOURCES_MAX];
    struct clock_selection selection;
    uint64_t agreed[CLOCK_SOURCES_MAX]; /* with others, after so many steps and one; 0: never */
    enum clock_reason broken; /* why a filter's break was believed since the last update */
    struct clock_target target;
    struct clock_model model;  /* as published */
    int64_t start_raw_ns;      /* when the sources began to be asked */
    int64_t woken_raw_ns;      /* ... and the host was awake again; 0: it has not slept */
    struct clock_leap leap;    /* announced */
    int64_t leap_done_wall_ns; /* the one that has been served, in both times */
    int64_t leap_done_raw_ns;
    int64_t leap_step_ns; /* ... and is still to be reported */
    bool suspended;
    uint64_t steps;
};

/* `before`: the model found on the board, or NULL. One that may still be served is gone on with, so
 * that a restarted process neither interrupts nor steps the served time. */
void clock_discipline_init(struct clock_discipline *d,
                           const struct clock_discipline_options *options,
                           const struct clock_model *before, struct mono_ns raw);

/* A measurement of source number `source`; a senseless one is counted and forgotten. */
void clock_discipline_sample(struct clock_discipline *d, size_t source,
                             const struct clock_sample *sample);

/* A poll without a usable answer. */
void clock_discipline_miss(struct clock_discipline *d, size_t source, struct mono_ns raw);

/* The source is from now on asked this often. */
void clock_discipline_poll_ns(struct clock_discipline *d, size_t source, int64_t poll_ns);

/* The host was suspended or the raw clock stood still otherwise: what was measured does not hold
 * any more, except how fast the oscillator runs. The clock is lost until the next sample. */
void clock_discipline_suspended(struct clock_discipline *d, struct mono_ns raw);

struct clock_update {
    bool changed;             /* of state: model->state is new */
    enum clock_reason reason; /* of the change, or of a step; NONE when there is neither */
    int64_t step_ns;          /* by how much the line jumped; 0: it went on */
    int64_t due_raw_ns;       /* call again at this moment if it is less than a second away (a leap
                                 second is due); 0: no wish */
};

/* The model to publish from `raw` on. */
struct clock_update clock_discipline_update(struct clock_discipline *d, struct mono_ns raw,
                                            struct clock_model *model);

void clock_discipline_report(const struct clock_discipline *d, struct mono_ns raw,
                             struct clock_report *report);

#endif
