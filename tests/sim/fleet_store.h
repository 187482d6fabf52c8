/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The secret store of a simulated fleet: the versions of the document, when they were put and what
 * changed, and the hours in which nobody reaches it. Times are true ones, in seconds since 1970.
 */
#ifndef NTSD_TESTS_SIM_FLEET_STORE_H
#define NTSD_TESTS_SIM_FLEET_STORE_H

#include "common/keys/keydoc.h"
#include "tests/sim/sim_random.h"

enum {
    FLEET_VERSIONS_MAX = 64,
    FLEET_EPOCHS_MAX = 64,
    FLEET_OUTAGES_MAX = 24,
    FLEET_DAY_S = 86400,
    FLEET_NEVER = FLEET_VERSIONS_MAX, /* no version of that number */
};
#define FLEET_BEGIN INT64_C(1767225600) /* 2026-01-01T00:00:00Z */

struct fleet_outage {
    int64_t from;
    int64_t until;
};

struct fleet_version {
    int64_t put_at;
    bool withdraws;
    struct keydoc doc;
};

/* All that ever was, told by the document's members alone: no key, no ring. */
struct fleet_epoch {
    uint8_t id; /* may be another epoch's later on */
    int64_t not_before;
    uint32_t rotate_s;
    size_t put_in; /* the first version with it */
    size_t revoked_in;
    size_t dropped_in; /* the first version without it again */
};

struct fleet_store {
    struct fleet_version version[FLEET_VERSIONS_MAX];
    size_t versions;
    struct fleet_epoch epoch[FLEET_EPOCHS_MAX + 1]; /* the last one is nobody */
    size_t epochs;
    struct fleet_outage outage[FLEET_OUTAGES_MAX];
    size_t outages;
};

bool fleet_store_is_out(const struct fleet_store *store, int64_t t);

/* An outage from `from` on; more than there is room for are not had. */
void fleet_store_break(struct fleet_store *store, int64_t from, int64_t length_s);

/* Puts the next version in, as text that is read again. False: it is no document. */
bool fleet_store_put(struct fleet_store *store, int64_t t, const struct keydoc *doc);

/* The epoch that `id` names in a version: its place, or store->epochs. */
size_t fleet_store_epoch(const struct fleet_store *store, size_t version, uint8_t id);

/* From when on whoever asks at least every `within_s` seconds has been handed the version. */
int64_t fleet_store_known_at(const struct fleet_store *store, size_t version, int64_t within_s);

#endif
