/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a clock, second by second. See sim_run.h.
 */
#include "tests/sim/sim_run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BURST_ANSWERS = 4, BURST_REQUESTS = 8, RESTART_S = 2 };

#define BURST_SPACE_S 2.0
/* A model's rate is a whole number of parts in a billion, its moments are whole nanoseconds. */
#define JUMP_NS 4

struct asking {
    double next_s;
    int answers;
    int requests;
};

struct life {
    const struct sim_scenario *scenario;
    uint64_t seed;
    struct sim_world world;
    struct clock_discipline_options options;
    struct clock_discipline clock;
    struct clock_model model;
    struct asking asking[SIM_SOURCES_MAX];
    double due_s; /* when the discipline wants to be asked again; 0: no wish */
    double square_sum;
    double bound_sum;
    uint64_t errors;
    uint64_t inside;
    struct sim_figures figures;
    struct sim_trace *trace;
};

static struct mono_ns raw_at(const struct life *life, double at_s)
{
    return (struct mono_ns){.ns = sim_world_raw_ns(&life->world, at_s)};
}

static void judge_change(struct life *life, const struct clock_update *update,
                         const struct clock_model *before, struct mono_ns raw)
{
    bool was_served = clock_model_is_trusted(before, raw);
    bool is_served = clock_model_is_trusted(&life->model, raw);
    int64_t jump = clock_model_at(&life->model, raw).ns - clock_model_at(before, raw).ns;
    bool announced = llabs(jump - update->step_ns) <= JUMP_NS;
    life->figures.jumps += was_served && is_served && !announced;
    life->figures.steps += update->step_ns != 0;
    life->figures.untold += update->changed != (before->state != life->model.state);
    life->figures.untold +=
        (update->changed || update->step_ns != 0) != (update->reason != CLOCK_REASON_NONE);
    life->figures.leap_was_said |= is_served && life->model.leap != NTP_LEAP_NONE;
}

static void update_clock(struct life *life, double at_s)
{
    struct clock_model before = life->model;
    struct mono_ns raw = raw_at(life, at_s);
    struct clock_update update = clock_discipline_update(&life->clock, raw, &life->model);
    life->due_s =
        update.due_raw_ns == 0 ? 0.0 : at_s + fmax((double)(update.due_raw_ns - raw.ns), 1e3) / 1e9;
    judge_change(life, &update, &before, raw);
}

static void ask(struct life *life, size_t source)
{
    const struct sim_source *s = &life->scenario->source[source];
    struct asking *asking = &life->asking[source];
    struct clock_sample sample;
    double done_s = 0.0;
    bool answers = s->answers_each == 0 || asking->requests % s->answers_each == 0;
    bool answered = sim_source_ask(s, &life->world, asking->next_s, &sample, &done_s) && answers;
    if (answered) {
        clock_discipline_sample(&life->clock, source, &sample);
        update_clock(life, done_s);
    } else {
        clock_discipline_miss(&life->clock, source, raw_at(life, done_s));
    }
    asking->requests++;
    asking->answers += answered;
    bool burst = !s->phc && asking->answers < BURST_ANSWERS && asking->requests < BURST_REQUESTS;
    /* Polls are not punctual, lest they beat with what happens at the source. */
    double jitter_s = s->poll_s * 0.02 * (sim_random_share(&life->world.random) - 0.5);
    asking->next_s += burst ? BURST_SPACE_S : s->poll_s + jitter_s;
}

static void remember(struct life *life, double at_s, double error_us, double bound_us)
{
    struct sim_trace *trace = life->trace;
    if (trace == NULL || trace->count >= trace->room || fmod(at_s, trace->every_s) != 0.0 ||
        (trace->count > 0 && trace->moment[trace->count - 1].at_s == at_s)) {
        return;
    }
    trace->moment[trace->count++] =
        (struct sim_moment){.at_s = at_s,
                            .error_us = error_us,
                            .bound_us = bound_us,
                            .state = (enum clock_state)life->model.state};
}

/* What a client would get at this moment, against the truth. */
static void judge_moment(struct life *life, double at_s)
{
    struct sim_figures *f = &life->figures;
    struct mono_ns raw = raw_at(life, at_s);
    int64_t error = clock_model_at(&life->model, raw).ns - sim_world_wall_ns(&life->world, at_s);
    double error_us = (double)error / 1e3;
    double bound_us = (double)clock_model_bound_ns(&life->model, raw) / 1e3;
    remember(life, at_s, error_us, bound_us);
    if (!clock_model_is_trusted(&life->model, raw) ||
        sim_span_contains(&life->scenario->doubt, at_s)) {
        return;
    }
    f->judged++;
    life->inside += fabs(error_us) <= bound_us;
    f->first_ms_s = f->first_ms_s < 0.0 && fabs(error_us) < 1e3 ? at_s : f->first_ms_s;
    f->bound_10ms_s = f->bound_10ms_s < 0.0 && bound_us < 1e4 ? at_s : f->bound_10ms_s;
    if (at_s >= life->scenario->settle_s) {
        life->errors++;
        life->square_sum += error_us * error_us;
        life->bound_sum += bound_us;
        f->worst_us = fmax(f->worst_us, fabs(error_us));
    }
}

/* All that happens before `until_s`, in order. */
static void live_until(struct life *life, double until_s)
{
    for (;;) {
        size_t first = 0;
        for (size_t i = 1; i < life->scenario->source_count; i++) {
            first = life->asking[i].next_s < life->asking[first].next_s ? i : first;
        }
        double next_s = life->asking[first].next_s;
        if (life->due_s > 0.0 && life->due_s < until_s && life->due_s <= next_s) {
            update_clock(life, life->due_s);
        } else if (next_s < until_s) {
            ask(life, first);
        } else {
            return;
        }
    }
}

static void judge_marks(struct life *life, double at_s)
{
    for (size_t i = 0; i < SIM_MARKS_MAX; i++) {
        const struct sim_mark *mark = &life->scenario->limits.mark[i];
        bool here = mark->at_s > 0.0 && mark->at_s == at_s;
        life->figures.marks_missed += here && (enum clock_state)life->model.state != mark->state;
    }
}

static bool is_down(const struct sim_scenario *scenario, double at_s)
{
    double since_s = at_s - scenario->restart_at_s;
    return scenario->restart_at_s > 0.0 && since_s >= 0.0 && since_s < RESTART_S;
}

static void wait_until(struct life *life, double at_s)
{
    for (size_t i = 0; i < life->scenario->source_count; i++) {
        life->asking[i].next_s = fmax(life->asking[i].next_s, at_s);
    }
}

/* The successor finds the model on the board; it does not burst, for its client knows better. */
static void restart(struct life *life, double at_s)
{
    struct clock_model before = life->model;
    clock_discipline_init(&life->clock, &life->options, &before, raw_at(life, at_s));
    wait_until(life, at_s);
}

static void live_second(struct life *life, double at_s)
{
    sim_world_advance(&life->world, at_s);
    if (sim_world_is_paused(&life->world)) {
        wait_until(life, at_s + 1.0);
        return;
    }
    judge_moment(life, at_s);
    if (is_down(life->scenario, at_s)) {
        return;
    }
    if (life->scenario->restart_at_s > 0.0 && at_s == life->scenario->restart_at_s + RESTART_S) {
        restart(life, at_s);
    }
    update_clock(life, at_s);
    judge_moment(life, at_s);
    judge_marks(life, at_s);
    life->figures.state_s[life->model.state] += 1.0;
    live_until(life, at_s + 1.0);
}

static void be_born(struct life *life)
{
    const struct sim_scenario *s = life->scenario;
    sim_world_init(&life->world, &s->oscillator, &s->scale, life->seed);
    life->options.source_count = s->source_count;
    life->options.max_error_ns = llround((s->max_error_ms > 0.0 ? s->max_error_ms : 50.0) * 1e6);
    life->options.precision = -25;
    for (size_t i = 0; i < s->source_count; i++) {
        struct clock_source_options *o = &life->options.source[i];
        memcpy(o->name, "simulated", sizeof("simulated"));
        o->prefer = s->source[i].prefer;
        o->smeared = s->source[i].smeared;
        o->poll_ns = llround(s->source[i].poll_s * 1e9);
        life->asking[i].next_s = 0.2 + 0.3 * sim_random_share(&life->world.random);
    }
    clock_discipline_init(&life->clock, &life->options, NULL, raw_at(life, 0.0));
    life->figures.first_ms_s = -1.0;
    life->figures.bound_10ms_s = -1.0;
}

struct sim_figures sim_run(const struct sim_scenario *scenario, uint64_t seed,
                           struct sim_trace *trace)
{
    /* Large, and one life at a time. */
    static struct life life;
    life = (struct life){.scenario = scenario, .seed = seed, .trace = trace};
    be_born(&life);
    for (double at_s = 0.0; at_s < scenario->hours * 3600.0; at_s += 1.0) {
        live_second(&life, at_s);
    }
    struct sim_figures *f = &life.figures;
    if (life.errors > 0) {
        f->rms_us = sqrt(life.square_sum / (double)life.errors);
        f->bound_us = life.bound_sum / (double)life.errors;
    }
    f->inside_share = f->judged > 0 ? (double)life.inside / (double)f->judged : 1.0;
    return *f;
}
