/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See key_time.h.
 */
#include "ntsd/key_time.h"

enum { WAIT_MIN_MS = 1000, WAIT_UNTRUSTED_MS = 1000, WAIT_MAX_MS = 60000 };
enum { HOUR_S = 3600, DAY_S = 86400 };

static int64_t min_s(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t max_s(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Whole seconds first: no two times are too far apart for that. */
static int64_t seconds_between(int64_t from_ns, int64_t to_ns)
{
    return to_ns / NS_PER_S - from_ns / NS_PER_S;
}

static struct wall_ns went_on(struct wall_ns wall, struct mono_ns from, struct mono_ns to)
{
    return (struct wall_ns){.ns = wall.ns + (to.ns - from.ns)};
}

/* How far off `served` is from where `wall`, true at `from`, would be by now. */
static int64_t gap_s(struct wall_ns wall, struct mono_ns from, struct wall_ns served,
                     struct mono_ns now)
{
    return seconds_between(went_on(wall, from, now).ns, served.ns);
}

static bool is_within(int64_t gap, int64_t most)
{
    return gap <= most && gap >= -most;
}

/* For how long trusted time has agreed with itself. Compared with where the run began and not with
 * the last reading: small steps must not add up to a long way. */
static int64_t run_s(struct key_time *time, struct wall_ns served, struct mono_ns boot)
{
    int64_t agrees_s = min_s(time->terms.rotate_s, DAY_S);
    if (!time->has_run ||
        !is_within(gap_s(time->run_wall, time->run_boot, served, boot), agrees_s)) {
        time->has_run = true;
        time->run_wall = served;
        time->run_boot = boot;
    }
    return seconds_between(time->run_boot.ns, boot.ns);
}

void key_time_init(struct key_time *time, const struct key_terms *terms, struct wall_ns wall,
                   struct mono_ns boot)
{
    *time = (struct key_time){.terms = *terms, .wall = wall, .boot = boot};
}

struct key_moment key_time_at(struct key_time *time, const struct clock_model *clock,
                              struct mono_ns raw, struct mono_ns boot)
{
    time->wall = went_on(time->wall, time->boot, boot);
    time->boot = boot;
    if (clock == NULL || !clock_model_is_trusted(clock, raw)) {
        return (struct key_moment){.now_s = time->wall.ns / NS_PER_S};
    }
    struct wall_ns served = clock_model_at(clock, raw);
    int64_t held_s = run_s(time, served, boot);
    int64_t jump_s = gap_s(time->wall, boot, served, boot);
    bool is_near = is_within(jump_s, max_s(time->terms.lifetime_s, DAY_S));
    if (time->is_anchored && !is_near && held_s < HOUR_S) {
        return (struct key_moment){.now_s = time->wall.ns / NS_PER_S, .ignored_s = jump_s};
    }
    time->wall = served;
    time->is_anchored = true;
    int64_t destroys_s = max_s(HOUR_S, min_s(time->terms.rotate_s, DAY_S));
    return (struct key_moment){
        .now_s = served.ns / NS_PER_S, .trusted = true, .has_held = held_s >= destroys_s};
}

uint64_t key_time_wait_ms(struct key_moment moment, int64_t next_change_s)
{
    uint64_t most = moment.trusted ? WAIT_MAX_MS : WAIT_UNTRUSTED_MS;
    if (next_change_s <= moment.now_s) {
        return WAIT_MIN_MS;
    }
    uint64_t left_s = (uint64_t)next_change_s - (uint64_t)moment.now_s;
    if (left_s >= most / 1000) {
        return most;
    }
    return left_s * 1000 < WAIT_MIN_MS ? WAIT_MIN_MS : left_s * 1000;
}
