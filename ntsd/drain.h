/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way to the end, as a pure function: first the services finish what they have begun, then the
 * others stop, and after five seconds nothing is left. Core.
 */
#ifndef NTSD_NTSD_DRAIN_H
#define NTSD_NTSD_DRAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum drain_phase {
    DRAIN_RUNNING,  /* no drain */
    DRAIN_SERVICES, /* entered: SIGTERM to ke and ntp */
    DRAIN_REST,     /* entered: SIGTERM to keys, clock and status */
    DRAIN_KILL,     /* entered: SIGKILL to whoever is left */
    DRAIN_DONE,     /* the supervisor ends; the only way out, and final */
};

enum { DRAIN_SERVICES_MS = 4000, DRAIN_TOTAL_MS = 4700 };

struct drain_facts {
    unsigned signals; /* SIGTERM and SIGINT so far; the second one is impatience */
    uint64_t elapsed_ms;
    size_t services_alive;
    size_t others_alive;
};

/* One step: the caller performs what entering the phase means and asks again until it stays. */
enum drain_phase drain_next(enum drain_phase phase, const struct drain_facts *facts);

/* Milliseconds since the first signal at which drain_next() has to be asked again at the latest. */
uint64_t drain_deadline_ms(enum drain_phase phase);

#endif
