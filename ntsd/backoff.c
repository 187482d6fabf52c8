/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See backoff.h.
 */
#include "ntsd/backoff.h"

uint64_t backoff_next(struct backoff *backoff, uint64_t lived_ms)
{
    if (lived_ms >= BACKOFF_RESET_MS) {
        backoff->deaths = 0;
    }
    unsigned before = backoff->deaths++;
    if (before == 0) {
        return 0;
    }
    uint64_t wait = BACKOFF_FIRST_MS;
    for (unsigned i = 1; i < before && wait < BACKOFF_MAX_MS; i++) {
        wait *= 2;
    }
    return wait < BACKOFF_MAX_MS ? wait : BACKOFF_MAX_MS;
}
