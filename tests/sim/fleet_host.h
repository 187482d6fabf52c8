/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One instance of a simulated fleet: its clock, the document it has, the ring that follows, and the
 * fetches that bring it the next. What decides is the code that ships: keychange_judge(),
 * keydoc_advance(), keyring_derive().
 */
#ifndef NTSD_TESTS_SIM_FLEET_HOST_H
#define NTSD_TESTS_SIM_FLEET_HOST_H

#include "common/keys/cookie.h"
#include "common/keys/keychange.h"
#include "tests/sim/fleet_rules.h"

/* What makes a run another one than that of good hosts and operators. */
struct fleet_terms {
    uint64_t seed;
    int64_t days;
    struct fleet_limits limits; /* as promised */
    int64_t host_lifetime_s;    /* as configured; the same unless a run is to fail */
    int64_t ahead_s;            /* a new epoch begins so much later than it is added */
    bool believes_all;          /* takes whatever the store hands out */
    bool ignores_withdrawals;
    bool has_short_memory; /* an operator prunes by half of the lifetime */
};

struct fleet_counts {
    uint64_t hosts;      /* that were ever started */
    uint64_t fetches;    /* that were answered */
    uint64_t unanswered; /* the store was out */
    uint64_t fresh[KEYCHANGES];
    uint64_t stale[KEYCHANGES];
    uint64_t refused_newest; /* violation: the newest document was not taken */
    uint64_t followed_stale; /* violation: an old copy was, that lacks something */
    uint64_t clocks_turned;
    uint64_t rings;
};

struct fleet_host {
    const struct fleet_terms *terms;
    const struct fleet_store *store;
    struct fleet_counts *counts;
    struct sim_random random;
    int64_t ahead_s; /* of its clock, against true time */
    bool erases;     /* destroys what has expired: its clock has held */
    bool is_ready;
    int64_t starts_at;
    int64_t ends_at;
    int64_t fetches_at;
    int64_t turns_at; /* the clock */
    int64_t rings_at; /* the next ring */
    size_t version;   /* of the document it has, as far as it matters */
    bool was_stale;   /* the last answer was an old copy: the next is not */
    bool is_judged;   /* nothing changed since the newest was judged */
    struct keydoc doc;
    struct keyring ring;
    struct cookie_ring sealing;
};

/* To be started at `t`; the seed makes it an individual. */
void fleet_host_init(struct fleet_host *host, const struct fleet_terms *terms,
                     const struct fleet_store *store, struct fleet_counts *counts, uint64_t seed,
                     int64_t t);

/* Does what is due at `t`; when it is to be called next. */
int64_t fleet_host_tick(struct fleet_host *host, int64_t t);

static inline int64_t fleet_host_clock(const struct fleet_host *host, int64_t t)
{
    return t + host->ahead_s;
}

/* The key with this id, or NULL. */
static inline const struct keyring_key *fleet_host_find(const struct fleet_host *host, uint32_t id)
{
    for (uint32_t i = 0; i < host->ring.count; i++) {
        if (host->ring.key[i].id == id) {
            return &host->ring.key[i];
        }
    }
    return NULL;
}

#endif
