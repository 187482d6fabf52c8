/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See fleet_compare.h.
 */
#include "tools/fleet_compare.h"

/* What is wrong with one host from the point of view of another. */
struct relation {
    enum fleet_verdict verdict;
    uint32_t key;
};

const char *fleet_verdict_name(enum fleet_verdict verdict)
{
    static const char *const names[FLEET_VERDICTS] = {
        [FLEET_AGREES] = "agrees",     [FLEET_OTHER_SECRET] = "other_secret",
        [FLEET_NOT_HELD] = "not_held", [FLEET_NOT_HOLDING] = "not_holding",
        [FLEET_NO_KEYS] = "no_keys",   [FLEET_NOT_REACHED] = "not_reached",
        [FLEET_STALE] = "stale",
    };
    return (unsigned)verdict < FLEET_VERDICTS ? names[verdict] : "?";
}

bool fleet_verdict_is_dissent(enum fleet_verdict verdict)
{
    return verdict == FLEET_OTHER_SECRET || verdict == FLEET_NOT_HELD ||
           verdict == FLEET_NOT_HOLDING;
}

static const struct fleet_key *held_by(const struct fleet_facts *facts, uint32_t id)
{
    for (size_t i = 0; i < facts->held_count; i++) {
        if (facts->held[i].id == id) {
            return &facts->held[i];
        }
    }
    return NULL;
}

static bool is_same(const struct fleet_key *a, const struct fleet_key *b)
{
    return memcmp(a->fingerprint, b->fingerprint, sizeof(a->fingerprint)) == 0;
}

/* Of `a`, seen from `b`. Seen the other way round it fits if and only if this does. */
static struct relation relate(const struct fleet_facts *a, const struct fleet_facts *b)
{
    for (size_t i = 0; i < a->held_count; i++) {
        const struct fleet_key *other = held_by(b, a->held[i].id);
        if (other != NULL && !is_same(&a->held[i], other)) {
            return (struct relation){FLEET_OTHER_SECRET, other->id};
        }
    }
    if (held_by(b, a->issuing.id) == NULL) {
        return (struct relation){FLEET_NOT_HELD, a->issuing.id};
    }
    if (held_by(a, b->issuing.id) == NULL) {
        return (struct relation){FLEET_NOT_HOLDING, b->issuing.id};
    }
    return (struct relation){FLEET_AGREES, 0};
}

static bool has_keys(const struct fleet_host *host)
{
    return host->reached && host->facts.has_keys;
}

static size_t count_fitting(const struct fleet_host *hosts, size_t count, size_t i)
{
    size_t fits = 0;
    for (size_t j = 0; j < count && has_keys(&hosts[i]); j++) {
        fits += j != i && has_keys(&hosts[j]) &&
                relate(&hosts[i].facts, &hosts[j].facts).verdict == FLEET_AGREES;
    }
    return fits;
}

/* Against the host that fits most others among those that put the blame on it. */
static void blame(struct fleet_host *hosts, size_t count, size_t i)
{
    struct fleet_host *host = &hosts[i];
    for (size_t j = 0; j < count; j++) {
        if (j == i || !has_keys(&hosts[j]) || hosts[j].fits < host->fits) {
            continue;
        }
        struct relation relation = relate(&host->facts, &hosts[j].facts);
        bool first = host->verdict == FLEET_AGREES || hosts[j].fits > hosts[host->against].fits;
        if (relation.verdict != FLEET_AGREES && first) {
            host->verdict = relation.verdict;
            host->key = relation.key;
            host->against = j;
        }
    }
}

static void judge(struct fleet_host *hosts, size_t count, size_t i)
{
    struct fleet_host *host = &hosts[i];
    host->verdict = FLEET_AGREES;
    host->against = i;
    host->key = 0;
    if (!has_keys(host)) {
        host->verdict = host->reached ? FLEET_NO_KEYS : FLEET_NOT_REACHED;
        return;
    }
    blame(hosts, count, i);
    if (host->verdict == FLEET_AGREES && fleet_is_stale(&host->facts)) {
        host->verdict = FLEET_STALE;
    }
}

bool fleet_compare(struct fleet_host *hosts, size_t count)
{
    bool all = true;
    for (size_t i = 0; i < count; i++) {
        hosts[i].fits = count_fitting(hosts, count, i);
    }
    for (size_t i = 0; i < count; i++) {
        judge(hosts, count, i);
        all = all && hosts[i].verdict == FLEET_AGREES;
    }
    return all;
}
