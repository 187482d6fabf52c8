/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A discipline, its sources, and time that passes: for the tests of the discipline. The raw clock
 * keeps true time, so that what a source shows beyond it is its offset.
 */
#ifndef NTSD_TESTS_UNIT_NTP_CLOCK_WORLD_H
#define NTSD_TESTS_UNIT_NTP_CLOCK_WORLD_H

#include "ntp/clock/clock_discipline.h"
#include "ntp/ntp_packet.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define POLL_S     16
#define WORLD_RAW  (INT64_C(5000) * NS_PER_S)
#define WORLD_WALL (INT64_C(1782864000) * NS_PER_S) /* 2026-07-01 */
#define US         INT64_C(1000)

struct world {
    struct clock_discipline_options options;
    struct clock_discipline clock;
    struct clock_model model;
    int64_t now_s;
    int64_t shift_ns[CLOCK_SOURCES_MAX]; /* of what each source shows */
    bool silent[CLOCK_SOURCES_MAX];
    uint8_t leap[CLOCK_SOURCES_MAX];
    int64_t start_wall_ns;
    int64_t root_dispersion_ns; /* of all sources */
    /* of the updates since world_forget() */
    int changes;
    int steps;
    int64_t stepped_ns;
    enum clock_reason reason; /* of the last one that had any */
};

static inline struct mono_ns world_raw(const struct world *w)
{
    return (struct mono_ns){.ns = WORLD_RAW + w->now_s * NS_PER_S};
}

static inline int64_t world_wall_ns(const struct world *w)
{
    return w->start_wall_ns + w->now_s * NS_PER_S;
}

static inline int64_t world_error_ns(const struct world *w)
{
    return clock_model_at(&w->model, world_raw(w)).ns - world_wall_ns(w);
}

static inline void world_forget(struct world *w)
{
    w->changes = 0;
    w->steps = 0;
    w->stepped_ns = 0;
    w->reason = CLOCK_REASON_NONE;
}

static inline void world_start(struct world *w, size_t sources, const struct clock_model *before)
{
    *w = (struct world){
        .start_wall_ns = WORLD_WALL,
        .root_dispersion_ns = 300 * US,
        .options = {.source_count = sources, .max_error_ns = 50 * NS_PER_MS, .precision = -25}};
    for (size_t i = 0; i < sources; i++) {
        (void)snprintf(w->options.source[i].name, sizeof(w->options.source[i].name), "source%zu",
                       i);
        w->options.source[i].poll_ns = POLL_S * NS_PER_S;
    }
    clock_discipline_init(&w->clock, &w->options, before, world_raw(w));
}

/* Once more with what the test has changed in the options. */
static inline void world_init(struct world *w)
{
    clock_discipline_init(&w->clock, &w->options, NULL, world_raw(w));
    w->model = (struct clock_model){0};
}

static inline void world_sample(struct world *w, size_t source)
{
    const struct clock_sample sample = {
        .raw_ns = world_raw(w).ns,
        .wall_ns = world_wall_ns(w) + w->shift_ns[source],
        .delay_ns = 500 * US + (w->now_s * 31 + (int64_t)source) % 7 * US,
        .root_delay_ns = 200 * US,
        .root_dispersion_ns = w->root_dispersion_ns,
        .reference_id = 0x0a000000u + (uint32_t)source,
        .stratum = 3,
        .leap = w->leap[source],
    };
    clock_discipline_sample(&w->clock, source, &sample);
}

static inline struct clock_update world_update(struct world *w)
{
    struct clock_model before = w->model;
    struct clock_update u = clock_discipline_update(&w->clock, world_raw(w), &w->model);
    cr_assert_eq(u.changed, before.state != w->model.state);
    cr_assert_eq(u.changed || u.step_ns != 0, u.reason != CLOCK_REASON_NONE);
    w->changes += u.changed;
    w->steps += u.step_ns != 0;
    w->stepped_ns += u.step_ns;
    w->reason = u.reason != CLOCK_REASON_NONE ? u.reason : w->reason;
    return u;
}

/* Polls are at the multiples of POLL_S, all sources at once. */
static inline void world_second(struct world *w)
{
    for (size_t i = 0; i < w->options.source_count && w->now_s % POLL_S == 0; i++) {
        if (w->silent[i]) {
            clock_discipline_miss(&w->clock, i, world_raw(w));
        } else {
            world_sample(w, i);
        }
    }
    (void)world_update(w);
}

/* The next `seconds` seconds. */
static inline void world_pass(struct world *w, int64_t seconds)
{
    for (int64_t i = 0; i < seconds; i++) {
        w->now_s++;
        world_second(w);
    }
}

static inline struct clock_source_report world_report(const struct world *w, size_t source)
{
    static struct clock_report report;
    clock_discipline_report(&w->clock, world_raw(w), &report);
    cr_assert_eq(report.count, w->options.source_count);
    return report.source[source];
}

#endif
