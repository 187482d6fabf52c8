/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long the supervisor waits before it starts a dead child again. Core.
 *
 * The first restart is at once, because the service has to resume; the next ones wait 100 ms,
 * doubling up to 5 s; ten seconds of life start the count anew.
 */
#ifndef NTSD_NTSD_BACKOFF_H
#define NTSD_NTSD_BACKOFF_H

#include <stdint.h>

enum { BACKOFF_FIRST_MS = 100, BACKOFF_MAX_MS = 5000, BACKOFF_RESET_MS = 10000 };

struct backoff {
    unsigned deaths; /* in a row; zeroed to begin with */
};

/* A child died that had lived this long. Milliseconds to wait. */
uint64_t backoff_next(struct backoff *backoff, uint64_t lived_ms);

#endif
