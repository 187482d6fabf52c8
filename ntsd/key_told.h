/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When to tell what lasts: once when it begins or becomes something else, then rarely. Does not
 * log.
 */
#ifndef NTSD_NTSD_KEY_TOLD_H
#define NTSD_NTSD_KEY_TOLD_H

#include "common/base/log.h"

enum { KEY_TOLD_AGAIN_S = 3600, KEY_TOLD_MAX = 512 };

/* Zeroed to begin with. */
struct key_told {
    char text[KEY_TOLD_MAX]; /* what was told last */
    struct mono_ns at;
    struct log_limit changes; /* two reasons that take turns are no reason for a line each time */
};

/* May this be told now? Then it counts as told. */
bool key_told_may(struct key_told *told, const char *text, struct mono_ns now);

/* It is over: the next one is news, whatever it is. True when it had been told. */
bool key_told_over(struct key_told *told);

#endif
