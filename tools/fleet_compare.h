/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Do hosts open each other's cookies? Core; thread-safe.
 *
 * Two hosts fit when each holds the key that the other one issues with, and no id names two keys
 * among what they hold. Clocks that differ by less than a period fit, because the next key is held
 * early and past ones for long. Of two that do not fit, the one that fits fewer others is blamed,
 * both if that is equal: so one host with another secret is named, and not all others.
 */
#ifndef NTSD_TOOLS_FLEET_COMPARE_H
#define NTSD_TOOLS_FLEET_COMPARE_H

#include "tools/fleet_parse.h"

enum { FLEET_HOSTS_MAX = 256, FLEET_WHY_MAX = 400 };

enum fleet_verdict {
    FLEET_AGREES,
    FLEET_OTHER_SECRET, /* `key` is another one here than at `against` */
    FLEET_NOT_HELD,     /* `against` does not hold the key that this one issues with */
    FLEET_NOT_HOLDING,  /* this one does not hold `key`, with which `against` issues */
    FLEET_NO_KEYS,
    FLEET_NOT_REACHED, /* or no ntsd; `why` says */
    FLEET_STALE,       /* it agrees, but has not heard from its provider for long */
    FLEET_VERDICTS
};
const char *fleet_verdict_name(enum fleet_verdict verdict); /* snake_case, static */

/* No agreement about keys. */
bool fleet_verdict_is_dissent(enum fleet_verdict verdict);

struct fleet_host {
    const char *name;
    bool reached;
    struct fleet_facts facts; /* if it was reached */
    char why[FLEET_WHY_MAX];  /* if not */

    enum fleet_verdict verdict; /* from here on: written by fleet_compare() */
    size_t against;
    uint32_t key;
    size_t fits; /* how many others */
};

/* Judges all of at most FLEET_HOSTS_MAX hosts. True: all agree, none is stale or missing. */
bool fleet_compare(struct fleet_host *hosts, size_t count);

#endif
