/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The time that keys live by. Core.
 *
 * While the served clock is trusted it is that clock. Without it, time goes on from where it was by
 * CLOCK_BOOTTIME: a host clock that is stepped by an hour, or to 1970, must not expire the ring or
 * make another key issue.
 */
#ifndef NTSD_NTSD_KEY_TIME_H
#define NTSD_NTSD_KEY_TIME_H

#include "common/base/time.h"
#include "ntp/clock/clock_model.h"

#include <stdbool.h>

struct key_time {
    struct wall_ns wall; /* at the moment below */
    struct mono_ns boot;
};

/* Begins with the host's wall time, which is all there is before the first trusted clock. */
void key_time_init(struct key_time *time, struct wall_ns wall, struct mono_ns boot);

struct key_moment {
    int64_t now_s; /* since 1970 */
    bool trusted;  /* from the served clock: what destroys keys may rely on it */
};

/* The time at (raw, boot), which are read at the same moment. `clock` is NULL when none was
 * published. */
struct key_moment key_time_at(struct key_time *time, const struct clock_model *clock,
                              struct mono_ns raw, struct mono_ns boot);

/*
 * When the keys process looks again, in milliseconds: at the next change of the ring, but soon
 * while no clock is trusted, and often enough to see that one becomes trusted.
 */
uint64_t key_time_wait_ms(struct key_moment moment, int64_t next_change_s);

#endif
