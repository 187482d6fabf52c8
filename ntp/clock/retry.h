/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When to try again what failed: doubling from one wait to another. Core.
 */
#ifndef NTSD_NTP_CLOCK_RETRY_H
#define NTSD_NTP_CLOCK_RETRY_H

#include "common/base/time.h"

#include <stdbool.h>

struct retry {
    int64_t first_ns; /* the wait after the first failure */
    int64_t most_ns;
    uint64_t failures; /* in a row */
    struct mono_ns next;
};

static inline void retry_failed(struct retry *retry, struct mono_ns now)
{
    int64_t wait = retry->first_ns;
    for (uint64_t i = 0; i < retry->failures && wait < retry->most_ns; i++) {
        wait *= 2;
    }
    wait = wait < retry->most_ns ? wait : retry->most_ns;
    retry->next.ns = now.ns + wait;
    retry->failures++;
}

static inline void retry_succeeded(struct retry *retry)
{
    retry->failures = 0;
    retry->next.ns = 0;
}

static inline bool retry_is_due(const struct retry *retry, struct mono_ns now)
{
    return retry->failures == 0 || now.ns >= retry->next.ns;
}

#endif
