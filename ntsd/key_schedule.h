/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a fleet's secret store is asked again. Core.
 *
 *  - Without keys the host serves nobody: each second, so that it does soon after the store
 * answers.
 *  - In service: each interval.
 *  - After an answer that could not be used: a second, doubling up to the interval.
 *
 * All of it is jittered, so that a fleet that was started at one moment, or lost its store at one
 * moment, does not come back at one moment.
 */
#ifndef NTSD_NTSD_KEY_SCHEDULE_H
#define NTSD_NTSD_KEY_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    KEY_SCHEDULE_FIRST_MS = 1000,   /* without keys, and after the first failure */
    KEY_SCHEDULE_FILE_MS = 60000,   /* interval for what is near */
    KEY_SCHEDULE_STORE_MS = 300000, /* and for what is asked over a network, or by a command */
};

struct key_schedule {
    uint32_t interval_ms; /* one of the above */
    bool in_service;      /* there are keys */
    uint64_t failing;     /* answers in a row that could not be used */
};

/* Milliseconds from the last answer on; every `random` is as good. Without keys 800 to 1200, in
 * service the interval +-10 %, after failures from half of the time to all of it. */
uint64_t key_schedule_wait_ms(const struct key_schedule *schedule, uint32_t random);

#endif
