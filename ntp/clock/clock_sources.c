/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens to the sources: samples, misses, steps of all of them at once, leap seconds. See
 * clock_discipline.h.
 */
#include "ntp/clock/clock_discipline_parts.h"

#define POLL_MAX_NS     (INT64_C(131072) * NS_PER_S) /* RFC 5905 §7.2: MAXPOLL */
#define RATE_WANDER_PPB 1000.0 /* by which a rate may have changed since it was known */

/* By the same amount, as far as both can tell; and that amount is more than the difference, for who
 * claims not to be able to tell must not find a companion in everybody. */
static bool is_alike(const struct clock_filter *a, const struct clock_filter *b)
{
    int64_t apart = sat_abs(sat_sub(a->held_shift_ns, b->held_shift_ns));
    return a->held_count > 0 && apart <= sat_add(a->held_tolerance_ns, b->held_tolerance_ns) &&
           apart <= sat_abs(a->held_shift_ns) && apart <= sat_abs(b->held_shift_ns);
}

/* Most sources, at least two, contradict their lines by the same amount: it is the raw clock that
 * jumped. Waiting for three samples of each would serve a wrong time meanwhile. */
static void believe_majority(struct clock_discipline *d, size_t source, int64_t raw_ns)
{
    size_t voters = 0;
    size_t alike = 0;
    for (size_t i = 0; i < d->options.source_count; i++) {
        bool votes = clock_filter_has_line(&d->filter[i]) &&
                     !clock_discipline_is_silent(d->filter[i].last.raw_ns, d->poll_ns[i], raw_ns);
        voters += votes;
        alike += votes && is_alike(&d->filter[i], &d->filter[source]);
    }
    if (alike < 2 || 2 * alike <= voters) {
        return;
    }
    const struct clock_filter example = d->filter[source];
    for (size_t i = 0; i < d->options.source_count; i++) {
        if (is_alike(&d->filter[i], &example)) {
            clock_filter_break(&d->filter[i]);
        }
    }
    d->broken = CLOCK_REASON_MAJORITY;
}

/* The announced second has come: the line jumps, and with it all that was measured on the scale
 * that jumps. Smeared sources have no such second. A line that is lost jumps as well: the sources
 * that bring it back are past that second. */
void clock_discipline_pass_leap(struct clock_discipline *d, int64_t raw_ns)
{
    struct clock_leap leap = d->leap;
    if (leap.due_wall_ns == 0 || d->model.state == CLOCK_STARTING ||
        clock_model_at(&d->model, (struct mono_ns){.ns = raw_ns}).ns < leap.due_wall_ns) {
        return;
    }
    d->model.anchor_wall_ns = sat_add(d->model.anchor_wall_ns, leap.step_ns);
    d->model.reference_wall_ns = sat_add(d->model.reference_wall_ns, leap.step_ns);
    d->target.offset_ns = sat_add(d->target.offset_ns, leap.step_ns);
    for (size_t i = 0; i < d->options.source_count; i++) {
        if (!d->options.source[i].smeared) {
            clock_filter_shift(&d->filter[i], leap.step_ns);
        }
    }
    d->leap = (struct clock_leap){0};
    d->leap_done_wall_ns = leap.due_wall_ns;
    d->leap_done_raw_ns = raw_ns;
    d->leap_step_ns = sat_add(d->leap_step_ns, leap.step_ns);
}

/* All sources are measured against one oscillator: a new one profits from what the others, or the
 * predecessor, know of it. By more than the drift beyond the usual one that rate cannot be off. */
static void expect_rate(struct clock_discipline *d, size_t source)
{
    if (!d->target.valid) {
        return;
    }
    double doubt_ppb = (double)sat_sub(d->target.drift_ppb, CLOCK_DRIFT_PPB);
    const struct clock_fit_prior prior = {.rate_ppb = d->target.rate_ppb,
                                          .sd_ppb = RATE_WANDER_PPB + doubt_ppb};
    clock_filter_expect(&d->filter[source], &prior);
}

void clock_discipline_sample(struct clock_discipline *d, size_t source,
                             const struct clock_sample *sample)
{
    if (source >= d->options.source_count) {
        return;
    }
    clock_discipline_pass_leap(d, sample->raw_ns);
    /* Asked before the host slept: what it measured is not about the time after. */
    if (sat_sub(sample->raw_ns, sample->delay_ns / 2) < d->woken_raw_ns) {
        clock_filter_miss(&d->filter[source]);
        return;
    }
    expect_rate(d, source);
    switch (clock_filter_add(&d->filter[source], sample)) {
    case CLOCK_FILTER_SUSPECT:
        believe_majority(d, source, sample->raw_ns);
        break;
    case CLOCK_FILTER_BREAK:
        d->broken = CLOCK_REASON_STEP;
        break;
    case CLOCK_FILTER_USED:
    case CLOCK_FILTER_DELAYED:
    case CLOCK_FILTER_UNUSABLE:
        break;
    }
}

void clock_discipline_miss(struct clock_discipline *d, size_t source, struct mono_ns raw)
{
    (void)raw;
    if (source < d->options.source_count) {
        clock_filter_miss(&d->filter[source]);
    }
}

void clock_discipline_poll_ns(struct clock_discipline *d, size_t source, int64_t poll_ns)
{
    if (source < d->options.source_count) {
        d->poll_ns[source] = poll_ns < 1 ? 1 : poll_ns;
        if (poll_ns > POLL_MAX_NS) {
            d->poll_ns[source] = POLL_MAX_NS;
        }
    }
}

void clock_discipline_suspended(struct clock_discipline *d, struct mono_ns raw)
{
    for (size_t i = 0; i < d->options.source_count; i++) {
        clock_filter_restart(&d->filter[i]);
        d->agreed[i] = 0;
    }
    d->target.valid = false;
    d->start_raw_ns = raw.ns;
    d->woken_raw_ns = raw.ns;
    d->suspended = clock_discipline_is_serving(d);
}
