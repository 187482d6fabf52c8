/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One instance of a simulated fleet. See fleet_host.h.
 */
#include "tests/sim/fleet_host.h"

#include <stdlib.h>

enum {
    LIFE_DAYS = 40,      /* on average, until the instance is replaced */
    TURN_DAYS = 6,       /* on average, until its clock is off by something else */
    GAP_S = 3600,        /* at most, between the end of one and the start of the next */
    FETCH_LEAST_S = 270, /* every 300 s, ten per cent either way */
    STALE_ONE_IN = 200,  /* answers, of a running host */
    STALE_START_ONE_IN = 3,
    EXTREME_ONE_IN = 3, /* clocks are off by all that is allowed */
};

static int64_t below(struct fleet_host *host, int64_t limit)
{
    return (int64_t)(sim_random_u64(&host->random) % (uint64_t)limit);
}

static bool one_in(struct fleet_host *host, int64_t n)
{
    return below(host, n) == 0;
}

static int64_t days(struct fleet_host *host, double mean)
{
    return 1 + (int64_t)sim_random_exponential(&host->random, mean * FLEET_DAY_S);
}

static void turn_clock(struct fleet_host *host)
{
    int64_t skew = host->terms->limits.skew_s;
    host->ahead_s = below(host, 2 * skew + 1) - skew;
    if (one_in(host, EXTREME_ONE_IN)) {
        host->ahead_s = one_in(host, 2) ? skew : -skew;
    }
}

void fleet_host_init(struct fleet_host *host, const struct fleet_terms *terms,
                     const struct fleet_store *store, struct fleet_counts *counts, uint64_t seed,
                     int64_t t)
{
    keydoc_wipe(&host->doc);
    keyring_wipe(&host->ring);
    cookie_ring_wipe(&host->sealing);
    host->terms = terms;
    host->store = store;
    host->counts = counts;
    host->random.state = seed;
    host->erases = !one_in(host, 3);
    host->is_ready = false;
    host->starts_at = t;
    host->was_stale = false;
    turn_clock(host);
    counts->hosts++;
}

static void derive(struct fleet_host *host, int64_t t)
{
    int64_t clock = fleet_host_clock(host, t);
    int64_t lifetime_s = host->terms->host_lifetime_s;
    if (host->erases && keydoc_advance(&host->doc, clock, lifetime_s)) {
        host->is_judged = false;
    }
    keyring_derive(&host->doc, clock, lifetime_s, &host->ring);
    if (cookie_ring_prepare(&host->sealing, &host->ring) != NTS_OK) {
        abort();
    }
    host->rings_at = keyring_next_change(&host->doc, clock, lifetime_s) - host->ahead_s;
    host->counts->rings++;
}

static void take(struct fleet_host *host, size_t version, int64_t t)
{
    host->doc = host->store->version[version].doc;
    for (size_t e = 0; host->terms->ignores_withdrawals && e < host->doc.count; e++) {
        host->doc.epoch[e].revoked = false;
    }
    host->version = version;
    host->is_judged = version + 1 == host->store->versions;
    derive(host, t);
}

static enum keychange judge(const struct fleet_host *host, size_t version, int64_t t)
{
    struct keydoc_fault fault;
    return keychange_judge(&host->doc, &host->store->version[version].doc,
                           fleet_host_clock(host, t), host->terms->host_lifetime_s, &fault);
}

static void get_newest(struct fleet_host *host, int64_t t)
{
    size_t newest = host->store->versions - 1;
    if (host->is_judged && host->version == newest) {
        host->counts->fresh[KEYCHANGE_SAME]++; /* neither of the two changed since */
        return;
    }
    enum keychange change = judge(host, newest, t);
    host->counts->fresh[change]++;
    host->is_judged = true;
    bool believes = host->terms->believes_all && host->version != newest;
    if (change == KEYCHANGE_NEWER || believes) {
        take(host, newest, t);
    } else if (change == KEYCHANGE_SAME) {
        host->version = newest;
    } else {
        host->counts->refused_newest++;
    }
}

static void get_stale(struct fleet_host *host, size_t old, int64_t t)
{
    enum keychange change = judge(host, old, t);
    bool lacks = fleet_rules_lacks(host->store, &host->terms->limits, old, host->version, t);
    host->counts->stale[change]++;
    if (host->terms->believes_all) {
        take(host, old, t);
        return;
    }
    host->counts->followed_stale += change <= KEYCHANGE_NEWER && lacks;
    if (change == KEYCHANGE_NEWER) { /* chain values that a clock ahead destroyed */
        size_t version = host->version;
        take(host, old, t);
        host->version = version;
        host->is_judged = false;
    }
}

static void fetch(struct fleet_host *host, int64_t t)
{
    host->fetches_at = t + FETCH_LEAST_S + below(host, FLEET_FETCH_S - FETCH_LEAST_S + 1);
    if (fleet_store_is_out(host->store, t)) {
        host->counts->unanswered++;
        return;
    }
    host->counts->fetches++;
    host->was_stale = !host->was_stale && host->version > 0 && one_in(host, STALE_ONE_IN);
    if (host->was_stale) {
        get_stale(host, (size_t)below(host, (int64_t)host->version), t);
    } else {
        get_newest(host, t);
    }
}

/* The first document is judged by nobody. A replica may lag. */
static void start(struct fleet_host *host, int64_t t)
{
    const struct fleet_store *store = host->store;
    size_t version = store->versions - 1;
    if (version > 0 && t < store->version[version].put_at + FLEET_LAG_S &&
        one_in(host, STALE_START_ONE_IN)) {
        version--;
        host->was_stale = true;
    }
    host->is_ready = true;
    host->ends_at = t + days(host, LIFE_DAYS);
    host->turns_at = t + days(host, TURN_DAYS);
    host->fetches_at = t + FETCH_LEAST_S;
    take(host, version, t);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t fleet_host_tick(struct fleet_host *host, int64_t t)
{
    if (host->is_ready && t >= host->ends_at) {
        int64_t gap = 1 + below(host, GAP_S);
        fleet_host_init(host, host->terms, host->store, host->counts, sim_random_u64(&host->random),
                        t + gap);
    }
    if (!host->is_ready && (t < host->starts_at || fleet_store_is_out(host->store, t))) {
        return t < host->starts_at ? host->starts_at : t + 1 + below(host, 60);
    }
    if (!host->is_ready) {
        start(host, t);
    }
    if (t >= host->turns_at) {
        turn_clock(host);
        host->turns_at = t + days(host, TURN_DAYS);
        host->counts->clocks_turned++;
        derive(host, t);
    }
    if (t >= host->fetches_at) {
        fetch(host, t);
    }
    if (t >= host->rings_at) {
        derive(host, t);
    }
    return earlier(earlier(host->ends_at, host->turns_at),
                   earlier(host->fetches_at, host->rings_at));
}
