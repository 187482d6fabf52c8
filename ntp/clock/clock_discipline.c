/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What to serve: state, slew, steps and bound of the published line. See clock_discipline.h.
 */
#include "ntp/clock/clock_discipline_parts.h"
#include "ntp/clock/clock_number.h"

#include <math.h>

enum { SLEW_SECONDS = 16 }; /* in which two thirds of a small offset are slewed away */

#define STEP_NS (128 * NS_PER_MS) /* RFC 5905 §7.2: STEPT */
/* Together half a part in a thousand, which is what a model carries and clients can follow. */
#define SLEW_MAX_PPB INT64_C(200000)
#define FREQ_MAX_PPB INT64_C(300000)
#define LEAP_NEAR_NS (2 * NS_PER_S)

static int64_t clamp(int64_t v, int64_t limit)
{
    if (v > limit) {
        return limit;
    }
    return v < -limit ? -limit : v;
}

/* A line that may still be served is gone on with. Its rate contains a slew, perhaps; then so does
 * its drift. */
static void adopt(struct clock_discipline *d, const struct clock_model *before, struct mono_ns raw)
{
    if (!clock_model_is_trusted(before, raw)) {
        d->model.state = before->state == CLOCK_STARTING ? CLOCK_STARTING : CLOCK_LOST;
        return;
    }
    d->model = *before;
    /* Of the month in which it was said: the second may have come while nobody was there. */
    d->leap = clock_leap_announced(before->leap, (struct wall_ns){.ns = before->anchor_wall_ns});
    d->target = (struct clock_target){
        .valid = true,
        .raw_ns = before->anchor_raw_ns,
        .offset_ns = sat_sub(before->anchor_wall_ns, before->anchor_raw_ns),
        .rate_ppb = (double)clamp(before->rate_ppb, SLEW_MAX_PPB + FREQ_MAX_PPB),
        .root_delay_ns = before->root_delay_ns,
        .dispersion_ns = before->root_dispersion_ns,
        .drift_ppb = before->drift_ppb > CLOCK_DRIFT_PPB ? before->drift_ppb : CLOCK_DRIFT_PPB,
        .used_raw_ns = raw.ns,
        .heard_raw_ns = raw.ns,
        .poll_ns = 1,
    };
    for (size_t i = 0; i < d->options.source_count; i++) {
        d->target.poll_ns = d->poll_ns[i] > d->target.poll_ns ? d->poll_ns[i] : d->target.poll_ns;
        /* Who of them lied is forgotten, but the line is a witness: each has to agree with it. */
        d->selection.distrusted[i] = true;
    }
}

void clock_discipline_init(struct clock_discipline *d,
                           const struct clock_discipline_options *options,
                           const struct clock_model *before, struct mono_ns raw)
{
    *d = (struct clock_discipline){
        .options = *options, .selection = {.peer = CLOCK_SOURCES_MAX}, .start_raw_ns = raw.ns};
    if (d->options.source_count > CLOCK_SOURCES_MAX) {
        d->options.source_count = CLOCK_SOURCES_MAX;
    }
    for (size_t i = 0; i < d->options.source_count; i++) {
        clock_filter_init(&d->filter[i]);
        clock_discipline_poll_ns(d, i, options->source[i].poll_ns);
    }
    d->model = (struct clock_model){.anchor_raw_ns = raw.ns,
                                    .leap = NTP_LEAP_UNKNOWN,
                                    .precision = options->precision,
                                    .state = CLOCK_STARTING};
    if (before != NULL) {
        adopt(d, before, raw);
    }
}

/* ---- what follows from it */

/* How things stand at one moment, and what follows. */
struct outlook {
    int64_t raw_ns;
    int64_t remaining_ns; /* target less served time */
    bool decided;         /* somebody is followed now */
    bool silent;          /* who was followed has not been heard for eight polls */
    bool set;             /* the line is put where the target is, not led there */
    bool within;          /* the bound is what is allowed */
};

static struct outlook outlook_at(const struct clock_discipline *d, int64_t raw_ns)
{
    const struct clock_target *target = &d->target;
    struct outlook o = {.raw_ns = raw_ns, .decided = d->selection.decided};
    if (!target->valid) {
        return o;
    }
    o.remaining_ns =
        sat_sub(clock_target_offset_ns(target, raw_ns), clock_discipline_offset_ns(d, raw_ns));
    o.silent = clock_discipline_is_silent(target->heard_raw_ns, target->poll_ns, raw_ns);
    /* Nobody hears a clock that is not served, so there is nothing to be gentle about. */
    o.set = o.decided && (!clock_discipline_is_serving(d) || sat_abs(o.remaining_ns) > STEP_NS);
    int64_t bound = sat_add(target->root_delay_ns / 2, clock_target_dispersion_ns(target, raw_ns));
    bound = sat_add(bound, o.set ? 0 : sat_abs(o.remaining_ns));
    o.within = bound <= d->options.max_error_ns;
    return o;
}

static enum clock_state next_state(enum clock_state state, const struct outlook *o)
{
    bool good = o->decided && o->within;
    switch (state) {
    case CLOCK_STARTING:
        return good ? CLOCK_SYNCHRONISED : CLOCK_STARTING;
    case CLOCK_LOST:
        return good ? CLOCK_SYNCHRONISED : CLOCK_LOST;
    case CLOCK_SYNCHRONISED:
    case CLOCK_HOLDOVER:
        break;
    }
    if (!o->within) {
        return CLOCK_LOST;
    }
    if (o->decided) {
        return CLOCK_SYNCHRONISED;
    }
    return o->silent ? CLOCK_HOLDOVER : state;
}

static bool is_anybody_heard(const struct clock_discipline *d, int64_t raw_ns)
{
    for (size_t i = 0; i < d->options.source_count; i++) {
        const struct clock_filter *filter = &d->filter[i];
        if (filter->last.raw_ns > 0 &&
            !clock_discipline_is_silent(filter->last.raw_ns, d->poll_ns[i], raw_ns)) {
            return true;
        }
    }
    return false;
}

/* Why none of those heard is followed. */
static enum clock_reason reason_of_nobody(const struct clock_discipline *d)
{
    bool far = false;
    for (size_t i = 0; i < d->options.source_count; i++) {
        uint8_t verdict = d->selection.verdict[i];
        far = far || verdict == CLOCK_SOURCE_FAR;
        if (verdict == CLOCK_SOURCE_FALSETICKER || verdict == CLOCK_SOURCE_CANDIDATE) {
            return CLOCK_REASON_DISAGREE;
        }
    }
    return far ? CLOCK_REASON_FAR : CLOCK_REASON_DISAGREE;
}

static enum clock_reason reason_of_change(const struct clock_discipline *d, enum clock_state next,
                                          int64_t raw_ns)
{
    switch (next) {
    case CLOCK_SYNCHRONISED:
        return d->model.state == CLOCK_STARTING ? CLOCK_REASON_FIRST : CLOCK_REASON_RETURNED;
    case CLOCK_HOLDOVER:
        return is_anybody_heard(d, raw_ns) ? reason_of_nobody(d) : CLOCK_REASON_SILENT;
    case CLOCK_LOST:
        return d->suspended ? CLOCK_REASON_SUSPENDED : CLOCK_REASON_BOUND;
    case CLOCK_STARTING:
        break; /* nothing leads back there */
    }
    return CLOCK_REASON_NONE;
}

static enum clock_reason reason_of_step(const struct clock_discipline *d, const struct outlook *o)
{
    if (!o->set) {
        return CLOCK_REASON_LEAP;
    }
    return d->broken != CLOCK_REASON_NONE ? d->broken : CLOCK_REASON_RESELECT;
}

/* What reading the clock once may be off. */
static int64_t reading_ns(int8_t precision)
{
    return precision >= 0 ? NS_PER_S : NS_PER_S >> (precision < -30 ? 30 : -precision);
}

/* Where the line goes from here: on from where it is, turned towards the target. */
static void draw_line(struct clock_discipline *d, const struct outlook *o)
{
    const struct clock_target *target = &d->target;
    struct clock_model *model = &d->model;
    if (!target->valid) {
        return;
    }
    int64_t offset = o->set ? clock_target_offset_ns(target, o->raw_ns)
                            : clock_discipline_offset_ns(d, o->raw_ns);
    int64_t remaining = o->set ? 0 : o->remaining_ns;
    int64_t slew = clamp(remaining / SLEW_SECONDS, SLEW_MAX_PPB);
    model->anchor_raw_ns = o->raw_ns;
    model->anchor_wall_ns = sat_add(o->raw_ns, offset);
    model->rate_ppb = clamp(clock_number_ns(target->rate_ppb), FREQ_MAX_PPB) + slew;
    model->root_delay_ns = target->root_delay_ns;
    model->root_dispersion_ns = sat_add(clock_target_dispersion_ns(target, o->raw_ns),
                                        sat_add(sat_abs(remaining), reading_ns(model->precision)));
    /* Until the next model the slew goes on, also beyond the target, and a rate that is not allowed
     * to follow falls behind. */
    double apart_ppb = fabs(target->rate_ppb - (double)model->rate_ppb);
    model->drift_ppb = sat_add(target->drift_ppb, clock_number_ns(apart_ppb));
}

/* What is said beside the time. In holdover that is what was said last. */
static void claim(struct clock_discipline *d, enum clock_state state)
{
    struct clock_model *model = &d->model;
    model->state = (uint8_t)state;
    if (!clock_discipline_is_serving(d)) {
        model->leap = NTP_LEAP_UNKNOWN;
        model->stratum = 0;
        model->reference_id = 0;
        return;
    }
    model->leap = d->leap.due_wall_ns == 0 ? NTP_LEAP_NONE
                  : d->leap.step_ns < 0    ? NTP_LEAP_INSERT
                                           : NTP_LEAP_DELETE;
    if (d->selection.decided) {
        const struct clock_sample *accepted = &d->filter[d->selection.peer].accepted;
        model->stratum = (uint8_t)(accepted->stratum + 1);
        model->reference_id = accepted->reference_id;
        model->reference_wall_ns =
            clock_model_at(model, (struct mono_ns){.ns = d->target.used_raw_ns}).ns;
    }
}

/* When the shell should come back early: a line cannot contain a leap second. */
static int64_t due_raw_ns(const struct clock_discipline *d, int64_t raw_ns)
{
    int64_t left = sat_sub(d->leap.due_wall_ns, d->model.anchor_wall_ns);
    bool near = d->leap.due_wall_ns != 0 && clock_discipline_is_serving(d) && left <= LEAP_NEAR_NS;
    return near ? sat_add(raw_ns, left) : 0;
}

static struct clock_update settle(struct clock_discipline *d, const struct outlook *o,
                                  enum clock_state next)
{
    bool was_served = d->model.state != CLOCK_STARTING;
    struct clock_update update = {
        .changed = next != (enum clock_state)d->model.state,
        .step_ns = sat_add(o->set && was_served ? o->remaining_ns : 0, d->leap_step_ns),
    };
    if (update.changed) {
        update.reason = reason_of_change(d, next, o->raw_ns);
    } else if (update.step_ns != 0) {
        update.reason = reason_of_step(d, o);
    }
    d->steps += update.step_ns != 0;
    d->leap_step_ns = 0;
    d->suspended = false;
    d->broken = o->decided ? CLOCK_REASON_NONE : d->broken;
    return update;
}

struct clock_update clock_discipline_update(struct clock_discipline *d, struct mono_ns raw,
                                            struct clock_model *model)
{
    int64_t raw_ns = raw.ns > d->model.anchor_raw_ns ? raw.ns : d->model.anchor_raw_ns;
    clock_discipline_pass_leap(d, raw_ns);
    clock_discipline_follow(d, raw_ns);
    struct outlook o = outlook_at(d, raw_ns);
    enum clock_state next = next_state((enum clock_state)d->model.state, &o);
    o.set = o.set && next == CLOCK_SYNCHRONISED;
    struct clock_update update = settle(d, &o, next);
    draw_line(d, &o);
    claim(d, next);
    update.due_raw_ns = due_raw_ns(d, raw_ns);
    *model = d->model;
    return update;
}
