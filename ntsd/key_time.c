/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See key_time.h.
 */
#include "ntsd/key_time.h"

enum { WAIT_MIN_MS = 1000, WAIT_UNTRUSTED_MS = 1000, WAIT_MAX_MS = 60000 };

void key_time_init(struct key_time *time, struct wall_ns wall, struct mono_ns boot)
{
    *time = (struct key_time){.wall = wall, .boot = boot};
}

struct key_moment key_time_at(struct key_time *time, const struct clock_model *clock,
                              struct mono_ns raw, struct mono_ns boot)
{
    bool trusted = clock != NULL && clock_model_is_trusted(clock, raw);
    if (trusted) {
        time->wall = clock_model_at(clock, raw);
    } else {
        time->wall.ns += boot.ns - time->boot.ns;
    }
    time->boot = boot;
    return (struct key_moment){.now_s = time->wall.ns / NS_PER_S, .trusted = trusted};
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
