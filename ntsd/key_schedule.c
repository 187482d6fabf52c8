/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See key_schedule.h.
 */
#include "ntsd/key_schedule.h"

/* From `least` to `most`, both of which may come. */
static uint64_t between(uint64_t least, uint64_t most, uint32_t random)
{
    return least + (((most - least + 1) * random) >> 32);
}

/* After `failing` failures, before the jitter. */
static uint64_t backoff_ms(uint64_t failing, uint64_t most)
{
    uint64_t wait = KEY_SCHEDULE_FIRST_MS;
    for (uint64_t i = 1; i < failing && wait < most; i++) {
        wait *= 2;
    }
    return wait < most ? wait : most;
}

uint64_t key_schedule_wait_ms(const struct key_schedule *schedule, uint32_t random)
{
    const uint64_t first = KEY_SCHEDULE_FIRST_MS;
    const uint64_t interval = schedule->interval_ms;
    if (!schedule->in_service) {
        return between(first - first / 5, first + first / 5, random);
    }
    if (schedule->failing == 0) {
        return between(interval - interval / 10, interval + interval / 10, random);
    }
    uint64_t wait = backoff_ms(schedule->failing, interval);
    return between(wait / 2, wait, random);
}
