/* SPDX-License-Identifier: Apache-2.0 */
/*
 * True time, oscillator, networks, sources. See sim_world.h.
 */
#include "tests/sim/sim_world.h"

#include "ntp/ntp_proto.h"

#include <math.h>

#define RAW_START_NS   (INT64_C(5000) * NS_PER_S)
#define MONTH_END_NS   (INT64_C(1782864000) * NS_PER_S) /* 2026-07-01 */
#define WALL_START_NS  (MONTH_END_NS - (int64_t)SIM_LEAP_S * NS_PER_S)
#define SMEAR_S        86400.0
#define TWO_PI         6.283185307179586
#define STANDSTILL_PPM (-1e6)

bool sim_world_is_paused(const struct sim_world *world)
{
    double since_s = world->now_s - world->oscillator.pause_at_s;
    return since_s >= 0.0 && since_s < world->oscillator.pause_for_s;
}

static void draw_rate(struct sim_world *world)
{
    const struct sim_oscillator *o = &world->oscillator;
    double swing = 0.0;
    if (o->swing_period_s > 0.0) {
        swing = o->swing_ppm * sin(TWO_PI * world->now_s / o->swing_period_s);
    }
    world->rate_ppm =
        sim_world_is_paused(world) ? STANDSTILL_PPM : o->ppm + swing + world->walked_ppm;
}

void sim_world_init(struct sim_world *world, const struct sim_oscillator *oscillator,
                    const struct sim_scale *scale, uint64_t seed)
{
    *world =
        (struct sim_world){.oscillator = *oscillator, .scale = *scale, .random = {.state = seed}};
    draw_rate(world);
}

void sim_world_advance(struct sim_world *world, double now_s)
{
    const struct sim_oscillator *o = &world->oscillator;
    double passed_s = now_s - world->now_s;
    world->ahead_ns += passed_s * world->rate_ppm * 1e3;
    if (o->walk_ppb > 0.0) {
        double sd_ppm = o->walk_ppb / 1e3 * sqrt(passed_s);
        world->walked_ppm += sim_random_gaussian(&world->random, sd_ppm);
    }
    world->now_s = now_s;
    draw_rate(world);
}

int64_t sim_world_raw_ns(const struct sim_world *world, double at_s)
{
    double ahead = world->ahead_ns + (at_s - world->now_s) * world->rate_ppm * 1e3;
    return RAW_START_NS + llround(at_s * 1e9) + llround(ahead);
}

static int64_t leap_ns(const struct sim_scale *scale, double at_s)
{
    if (scale->leap == 0) {
        return 0;
    }
    if (scale->smear_from_s > 0.0) {
        double part = fmin(fmax((at_s - scale->smear_from_s) / SMEAR_S, 0.0), 1.0);
        return -scale->leap * llround(part * 1e9);
    }
    /* A second that is deleted is the last one, an inserted one comes after it. */
    double moment_s = scale->leap > 0 ? SIM_LEAP_S : SIM_LEAP_S - 1.0;
    return at_s >= moment_s ? -scale->leap * NS_PER_S : 0;
}

int64_t sim_world_wall_ns(const struct sim_world *world, double at_s)
{
    return WALL_START_NS + llround(at_s * 1e9) + leap_ns(&world->scale, at_s);
}

bool sim_span_contains(const struct sim_span *span, double at_s)
{
    double in_s = span->every_s > 0.0 ? fmod(at_s, span->every_s) : at_s;
    return in_s >= span->from_s && in_s < span->to_s;
}

static double way_us(const struct sim_source *source, struct sim_random *random, double least_us)
{
    if (source->jitter == SIM_JITTER_EXPONENTIAL) {
        return least_us + sim_random_exponential(random, source->jitter_us);
    }
    return fmax(least_us + sim_random_gaussian(random, source->jitter_us), 0.0);
}

/* What is left of the error of a source that is being set right. */
static double recovering_us(const struct sim_source *source, double at_s)
{
    const struct sim_span *span = &source->recovery;
    if (!sim_span_contains(span, at_s)) {
        return 0.0;
    }
    return source->recovery_us * (span->to_s - at_s) / (span->to_s - span->from_s);
}

static int64_t shown_ns(const struct sim_source *source, const struct sim_world *world, double at_s)
{
    if (sim_span_contains(&source->frozen, at_s)) {
        return sim_world_wall_ns(world, source->frozen.from_s);
    }
    int64_t wall = sim_world_wall_ns(world, at_s) + llround(source->error_us * 1e3);
    if (source->lie_s != 0.0 && at_s >= source->lie_from_s) {
        wall += llround(source->lie_s * 1e9);
    }
    if (source->lie_ppm != 0.0 && at_s >= source->lie_from_s) {
        wall += llround((at_s - source->lie_from_s) * source->lie_ppm * 1e3);
    }
    if (sim_span_contains(&source->glitch, at_s)) {
        wall += llround(source->glitch_s * 1e9);
    }
    return wall + llround(recovering_us(source, at_s) * 1e3);
}

static uint8_t leap_said(const struct sim_source *source, const struct sim_world *world,
                         double at_s)
{
    if (world->scale.leap == 0 || source->silent_on_leap || at_s >= SIM_LEAP_S) {
        return NTP_LEAP_NONE;
    }
    return world->scale.leap > 0 ? NTP_LEAP_INSERT : NTP_LEAP_DELETE;
}

/* What it says of itself. */
static void claim(const struct sim_source *source, double at_s, struct clock_sample *sample)
{
    double error_us = fabs(recovering_us(source, at_s));
    if (sim_span_contains(&source->confess, at_s)) {
        error_us += source->confess_us;
    }
    sample->root_dispersion_ns += llround(error_us * 1e3);
    if (sim_span_contains(&source->boast, at_s)) {
        sample->delay_ns = 0;
        sample->root_delay_ns = 0;
        sample->root_dispersion_ns = 0;
        sample->stratum = 1;
    }
}

bool sim_source_ask(const struct sim_source *source, struct sim_world *world, double at_s,
                    struct clock_sample *sample, double *done_s)
{
    double forward_us = way_us(source, &world->random, source->forward_us);
    double back_us = way_us(source, &world->random, source->back_us);
    if (sim_span_contains(&source->queue, at_s)) {
        forward_us += sim_random_exponential(&world->random, source->queue_us);
    }
    if (sim_span_contains(&source->detour, at_s)) {
        forward_us = fmax(forward_us + source->detour_us, 0.0);
    }
    bool lost = sim_random_share(&world->random) < source->loss;
    *done_s = at_s + (forward_us + back_us) / 1e6;
    if (lost || sim_span_contains(&source->silent, at_s)) {
        return false;
    }
    int64_t sent_ns = sim_world_raw_ns(world, at_s);
    int64_t received_ns = sim_world_raw_ns(world, *done_s);
    double there_s = at_s + forward_us / 1e6;
    *sample = (struct clock_sample){
        .raw_ns = sent_ns + (received_ns - sent_ns) / 2,
        .wall_ns = shown_ns(source, world, there_s),
        .delay_ns = received_ns - sent_ns,
        .root_delay_ns = llround(source->root_delay_us * 1e3),
        .root_dispersion_ns = llround(source->root_dispersion_us * 1e3),
        .reference_id = UINT32_C(0xa9fea97b),
        .stratum = source->phc ? 0 : 3,
        .leap = leap_said(source, world, at_s),
    };
    claim(source, there_s, sample);
    return true;
}
