/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The secret store of a simulated fleet. See fleet_store.h.
 */
#include "tests/sim/fleet_store.h"

bool fleet_store_is_out(const struct fleet_store *store, int64_t t)
{
    for (size_t i = 0; i < store->outages; i++) {
        if (t >= store->outage[i].from && t < store->outage[i].until) {
            return true;
        }
    }
    return false;
}

void fleet_store_break(struct fleet_store *store, int64_t from, int64_t length_s)
{
    if (store->outages < FLEET_OUTAGES_MAX) {
        store->outage[store->outages++] =
            (struct fleet_outage){.from = from, .until = from + length_s};
    }
}

static const struct keydoc_epoch *find(const struct keydoc *doc, const struct fleet_epoch *epoch)
{
    for (size_t e = 0; e < doc->count; e++) {
        if (doc->epoch[e].id == epoch->id && doc->epoch[e].not_before == epoch->not_before) {
            return &doc->epoch[e];
        }
    }
    return NULL;
}

size_t fleet_store_epoch(const struct fleet_store *store, size_t version, uint8_t id)
{
    size_t e = 0;
    while (e < store->epochs) {
        const struct fleet_epoch *epoch = &store->epoch[e];
        if (epoch->id == id && epoch->put_in <= version && version < epoch->dropped_in) {
            break;
        }
        e++;
    }
    return e;
}

/* What the newest version did to the epochs there were. */
static void note_changes(struct fleet_store *store, size_t v)
{
    struct fleet_version *version = &store->version[v];
    for (size_t e = 0; e < store->epochs; e++) {
        struct fleet_epoch *epoch = &store->epoch[e];
        const struct keydoc_epoch *now = find(&version->doc, epoch);
        if (epoch->dropped_in != FLEET_NEVER) {
            continue;
        }
        if (now == NULL) {
            epoch->dropped_in = v;
        } else if (now->revoked && epoch->revoked_in == FLEET_NEVER) {
            epoch->revoked_in = v;
            version->withdraws = true;
        }
    }
}

static void note_new(struct fleet_store *store, size_t v)
{
    const struct keydoc *doc = &store->version[v].doc;
    for (size_t e = 0; e < doc->count && store->epochs < FLEET_EPOCHS_MAX; e++) {
        if (fleet_store_epoch(store, v, doc->epoch[e].id) == store->epochs) {
            store->epoch[store->epochs++] =
                (struct fleet_epoch){.id = doc->epoch[e].id,
                                     .not_before = doc->epoch[e].not_before,
                                     .rotate_s = doc->epoch[e].rotate_s,
                                     .put_in = v,
                                     .revoked_in = FLEET_NEVER,
                                     .dropped_in = FLEET_NEVER};
        }
    }
}

bool fleet_store_put(struct fleet_store *store, int64_t t, const struct keydoc *doc)
{
    uint8_t text[KEYDOC_WRITTEN_MAX];
    struct wr out = wr_init(text, sizeof(text));
    struct keydoc_fault fault;
    size_t v = store->versions;
    if (v == FLEET_VERSIONS_MAX || keydoc_write(doc, &out) != NTS_OK ||
        keydoc_parse(wr_done(&out), &store->version[v].doc, &fault) != NTS_OK) {
        return false;
    }
    store->version[v].put_at = t;
    store->versions++;
    note_changes(store, v);
    note_new(store, v);
    return true;
}

int64_t fleet_store_known_at(const struct fleet_store *store, size_t version, int64_t within_s)
{
    int64_t from = store->version[version].put_at;
    for (size_t i = 0; i < store->outages; i++) {
        const struct fleet_outage *outage = &store->outage[i];
        if (outage->from < from + within_s && outage->until > from) {
            from = outage->until;
            i = SIZE_MAX; /* from the first one again */
        }
    }
    return from + within_s;
}
