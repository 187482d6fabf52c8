/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The promise, computed the plain way. See fleet_rules.h.
 */
#include "tests/sim/fleet_rules.h"

/* Known to a host with the version, and of use to it. */
static bool is_valid(const struct fleet_epoch *epoch, size_t version)
{
    return epoch->put_in <= version && version < epoch->dropped_in && version < epoch->revoked_in;
}

size_t fleet_rules_issuer(const struct fleet_store *store, size_t version, int64_t clock)
{
    size_t newest = store->epochs;
    size_t first = store->epochs;
    for (size_t e = 0; e < store->epochs; e++) {
        int64_t begins = store->epoch[e].not_before;
        if (!is_valid(&store->epoch[e], version)) {
            continue;
        }
        if (begins <= clock &&
            (newest == store->epochs || begins > store->epoch[newest].not_before)) {
            newest = e;
        }
        if (first == store->epochs || begins < store->epoch[first].not_before) {
            first = e;
        }
    }
    return newest < store->epochs ? newest : first;
}

int64_t fleet_rules_end(const struct fleet_store *store, size_t version, size_t epoch)
{
    int64_t end = INT64_MAX;
    for (size_t e = 0; e < store->epochs; e++) {
        int64_t begins = store->epoch[e].not_before;
        if (is_valid(&store->epoch[e], version) && begins > store->epoch[epoch].not_before &&
            begins < end) {
            end = begins;
        }
    }
    return end;
}

int64_t fleet_rules_withdrawn_at(const struct fleet_store *store, size_t epoch)
{
    size_t version = store->epoch[epoch].revoked_in;
    return version == FLEET_NEVER ? INT64_MAX : fleet_store_known_at(store, version, FLEET_KNOWN_S);
}

/* Rule 4: hosts may lack it, and that may cost cookies. */
static bool may_be_lacked(const struct fleet_store *store, size_t version, int64_t t)
{
    int64_t known_at = fleet_store_known_at(store, version, FLEET_KNOWN_S);
    bool was_cut_off = known_at > store->version[version].put_at + FLEET_KNOWN_S;
    return t < known_at && (was_cut_off || store->version[version].withdraws);
}

bool fleet_rules_is_unsettled(const struct fleet_store *store, int64_t t)
{
    return store->versions > 1 && may_be_lacked(store, store->versions - 1, t);
}

/* All documents that a host may have say that this epoch issued when the cookie was sealed. */
static bool is_agreed(const struct fleet_store *store, const struct fleet_sealed *cookie, int64_t t)
{
    size_t v = store->versions - 1;
    while (fleet_rules_issuer(store, v, cookie->clock) == cookie->epoch) {
        if (v == 0 || !may_be_lacked(store, v, t)) {
            return true;
        }
        v--;
    }
    return false;
}

enum fleet_promise fleet_rules_judge(const struct fleet_store *store,
                                     const struct fleet_limits *limits,
                                     const struct fleet_sealed *cookie, int64_t t)
{
    int64_t age = t - cookie->at;
    const struct fleet_epoch *epoch = &store->epoch[cookie->epoch];
    if (age >= limits->lifetime_s + epoch->rotate_s + 2 * limits->skew_s) {
        return FLEET_EXPIRED;
    }
    if (epoch->revoked_in != FLEET_NEVER) {
        return FLEET_WITHDRAWN;
    }
    if (age >= limits->lifetime_s - 2 * limits->skew_s) {
        return FLEET_MAY;
    }
    return is_agreed(store, cookie, t) ? FLEET_OPENS : FLEET_UNSETTLED;
}

bool fleet_rules_lacks(const struct fleet_store *store, const struct fleet_limits *limits,
                       size_t old, size_t version, int64_t t)
{
    for (size_t e = 0; e < store->epochs; e++) {
        const struct fleet_epoch *epoch = &store->epoch[e];
        int64_t end = fleet_rules_end(store, version, e);
        bool needed = epoch->put_in <= version && version < epoch->dropped_in &&
                      (end == INT64_MAX || end + limits->lifetime_s > t + limits->skew_s);
        bool withdrawn_since = old < epoch->revoked_in && epoch->revoked_in <= version;
        if (needed && (epoch->put_in > old || withdrawn_since)) {
            return true;
        }
    }
    return false;
}
