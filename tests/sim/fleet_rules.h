/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What docs/keys.md promises of a fleet, told anew from the members of the document's versions: no
 * key is computed here, no ring is asked. The simulation is judged by it.
 *
 * Given clocks that are off by no more than d, hosts that ask the store every 330 s at the latest
 * and get an old copy from it for no longer than ten minutes, and periods longer than 2 d:
 *
 * 1. A cookie opens on every host until ntslifetime less 2 d after it was sealed.
 * 2. It does not open on any host from ntslifetime, a period and 2 d after it was sealed.
 * 3. 1 is not promised for a cookie of an epoch that was withdrawn, which no host opens that knows.
 * 4. 1 is not promised where hosts know different documents, and may do so: a withdrawal is on its
 *    way, or an epoch has begun, and the store was not to be reached for long enough between the
 *    adding and the beginning. Then 1 holds for cookies that all of the documents that a host may
 *    have at that moment would have issued alike.
 *
 * So a rotation by itself costs nothing: not within the minutes in which it spreads, and not while
 * the store cannot be reached afterwards.
 */
#ifndef NTSD_TESTS_SIM_FLEET_RULES_H
#define NTSD_TESTS_SIM_FLEET_RULES_H

#include "tests/sim/fleet_store.h"

enum {
    FLEET_LAG_S = 600,   /* how long a replica hands out the version before */
    FLEET_FETCH_S = 330, /* every 300 s, ten per cent later at most */
    FLEET_KNOWN_S = FLEET_LAG_S + 2 * FLEET_FETCH_S + 1,
};

struct fleet_limits {
    int64_t lifetime_s;
    int64_t skew_s; /* d */
};

/* What the simulation knows of a cookie that its holder does not. */
struct fleet_sealed {
    int64_t at;    /* true time */
    int64_t clock; /* what the clock of the host read that sealed it */
    size_t epoch;  /* place in the store's history */
};

enum fleet_promise {
    FLEET_OPENS,
    FLEET_MAY,       /* between the two ends of its lifetime */
    FLEET_EXPIRED,   /* must not */
    FLEET_WITHDRAWN, /* must not, on hosts that know */
    FLEET_UNSETTLED, /* 4: may or may not */
};
enum fleet_promise fleet_rules_judge(const struct fleet_store *store,
                                     const struct fleet_limits *limits,
                                     const struct fleet_sealed *cookie, int64_t t);

/* The epoch that issues at `clock` for a host that holds the version: place in the history. */
size_t fleet_rules_issuer(const struct fleet_store *store, size_t version, int64_t clock);

/* When an epoch stops issuing, by a version; INT64_MAX: never. */
int64_t fleet_rules_end(const struct fleet_store *store, size_t version, size_t epoch);

/* From when on every host has to know that the epoch is withdrawn; INT64_MAX: it is not. */
int64_t fleet_rules_withdrawn_at(const struct fleet_store *store, size_t epoch);

/* True when it may not be settled at `t` which document a host has, for reasons of rule 4. */
bool fleet_rules_is_unsettled(const struct fleet_store *store, int64_t t);

/* What an old copy lacks that a host with `version` still needs at `t`: it may not be followed. */
bool fleet_rules_lacks(const struct fleet_store *store, const struct fleet_limits *limits,
                       size_t old, size_t version, int64_t t);

#endif
