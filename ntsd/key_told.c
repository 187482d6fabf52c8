/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See key_told.h.
 */
#include "ntsd/key_told.h"

#include <stdio.h>
#include <string.h>

enum { CHANGES_INTERVAL_S = 60, CHANGES_BURST = 5 };

bool key_told_may(struct key_told *told, const char *text, struct mono_ns now)
{
    uint64_t suppressed = 0;
    bool same = told->text[0] != '\0' && strncmp(told->text, text, KEY_TOLD_MAX - 1) == 0;
    if (same && now.ns - told->at.ns < KEY_TOLD_AGAIN_S * NS_PER_S) {
        return false;
    }
    told->changes.interval_s = CHANGES_INTERVAL_S;
    told->changes.burst = CHANGES_BURST;
    if (!log_limit_allows(&told->changes, now, &suppressed)) {
        return false;
    }
    (void)snprintf(told->text, sizeof(told->text), "%s", text);
    told->at = now;
    return true;
}

bool key_told_over(struct key_told *told)
{
    bool was_told = told->text[0] != '\0';
    told->text[0] = '\0';
    return was_told;
}
