/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The time that keys live by. Core.
 *
 * While the served clock is trusted it is that clock. Without it, time goes on from where it was by
 * CLOCK_BOOTTIME: a host clock that is stepped by an hour, or to 1970, must not expire the ring or
 * make another key issue.
 *
 * A trusted clock can be wrong too (a host that is its own source is trusted with whatever its
 * clock says), and what it does to keys differs in how well it can be undone. So:
 *
 * 1. The first trusted time is taken at once: what was before it was nobody's word, 1970 perhaps.
 * 2. After that a jump, against the time that went on by CLOCK_BOOTTIME, is followed at once up to
 *    the lifetime of cookies or a day, whichever is longer. A farther one, which would expire every
 *    key, is followed when trusted time has agreed with itself for an hour since. Until then the
 *    keys go on without it, and come back at once should the jump be undone.
 * 3. Keys are destroyed only when trusted time has agreed with itself for a period (an hour at
 *    least, a day at most), also after a start. To agree is to be where CLOCK_BOOTTIME would have
 *    brought it, to within a period or a day. Times without a trusted clock do not count against
 * it.
 */
#ifndef NTSD_NTSD_KEY_TIME_H
#define NTSD_NTSD_KEY_TIME_H

#include "common/base/time.h"
#include "ntp/clock/clock_model.h"

#include <stdbool.h>

/* What the configuration says about keys. */
struct key_terms {
    uint32_t rotate_s;
    int64_t lifetime_s;
};

struct key_time {
    struct key_terms terms;
    struct wall_ns wall; /* at the moment below */
    struct mono_ns boot;
    bool is_anchored; /* `wall` follows a time that was trusted */
    bool has_run;
    struct wall_ns run_wall; /* since here trusted time agrees with itself */
    struct mono_ns run_boot;
};

/* Begins with the host's wall time, which is all there is before the first trusted clock. */
void key_time_init(struct key_time *time, const struct key_terms *terms, struct wall_ns wall,
                   struct mono_ns boot);

struct key_moment {
    int64_t now_s;     /* since 1970 */
    int64_t ignored_s; /* how far off the trusted clock is that is not followed; 0: none */
    bool trusted;      /* now_s is the served clock's */
    bool has_held;     /* and rule 3 holds: what destroys keys may rely on it */
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
