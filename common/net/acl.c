/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules of allow and deny. See acl.h.
 *
 * Prefixes never overlap half: of two, one holds the other, or they are apart. So the sorted rules
 * open and close like brackets, and one walk over them yields the stretches between the brackets,
 * each with the verdict of the innermost open one.
 */
#include "common/net/acl.h"

#include <assert.h>
#include <string.h>

enum {
    HALF_BITS = 64,
    OPEN_MAX = NET_PREFIX_V6_BITS + 1, /* rules around one address: one for each length */
};

/* An address, as in struct net_prefix. */
struct number {
    uint64_t high;
    uint64_t low;
};

static bool is_above(struct number a, struct number b)
{
    return a.high > b.high || (a.high == b.high && a.low > b.low);
}

static struct number first_of(const struct net_prefix *prefix)
{
    return (struct number){.high = prefix->high, .low = prefix->low};
}

static struct number last_of(const struct net_prefix *prefix)
{
    struct number last = first_of(prefix);
    if (prefix->bits < HALF_BITS) {
        last.high |= UINT64_MAX >> prefix->bits;
        last.low = UINT64_MAX;
    } else if (prefix->bits < NET_PREFIX_V6_BITS) {
        last.low |= UINT64_MAX >> (prefix->bits - HALF_BITS);
    }
    return last;
}

/* --- Collecting --- */

/* By family, then by address, then the wider one first. */
static int compare(const struct net_prefix *a, const struct net_prefix *b)
{
    if (a->v6 != b->v6) {
        return a->v6 ? 1 : -1;
    }
    if (a->high != b->high || a->low != b->low) {
        return is_above(first_of(a), first_of(b)) ? 1 : -1;
    }
    return (int)a->bits - (int)b->bits;
}

/* Where a rule for this prefix stands, or would. */
static size_t place_of(const struct acl_rules *rules, const struct net_prefix *prefix, bool *there)
{
    size_t at = 0;
    while (at < rules->count && compare(&rules->rule[at].prefix, prefix) < 0) {
        at++;
    }
    *there = at < rules->count && compare(&rules->rule[at].prefix, prefix) == 0;
    return at;
}

static bool has_rule(const struct acl_rules *rules, const struct net_prefix *prefix)
{
    bool there;
    (void)place_of(rules, prefix, &there);
    return there;
}

/* There is room. */
static void put(struct acl_rules *rules, const struct net_prefix *prefix, bool allow)
{
    bool there;
    size_t at = place_of(rules, prefix, &there);
    struct acl_rule *rule = &rules->rule[at];
    if (!there) {
        memmove(rule + 1, rule, (rules->count - at) * sizeof(*rule));
        rules->count++;
    }
    *rule = (struct acl_rule){.prefix = *prefix, .allow = allow};
}

static const struct net_prefix everyone[] = {{.v6 = false}, {.v6 = true}};

/* The one prefix, or the two that are everyone. */
static const struct net_prefix *list(const struct net_prefix *prefix, size_t *count)
{
    *count = prefix == NULL ? 2 : 1;
    return prefix == NULL ? everyone : prefix;
}

NODISCARD enum nts_err acl_add(struct acl_rules *rules, const struct net_prefix *prefix, bool allow)
{
    size_t count;
    const struct net_prefix *added = list(prefix, &count);
    size_t needed = 0;
    for (size_t i = 0; i < count; i++) {
        needed += has_rule(rules, &added[i]) ? 0 : 1;
    }
    if (needed > ACL_RULES_MAX - rules->count) {
        return NTS_ELIMIT;
    }
    for (size_t i = 0; i < count; i++) {
        put(rules, &added[i], allow);
    }
    rules->any_allow = rules->any_allow || allow;
    return NTS_OK;
}

static size_t rules_outside(const struct acl_rules *rules, const struct net_prefix *prefix)
{
    size_t outside = 0;
    for (size_t i = 0; i < rules->count; i++) {
        outside += net_prefix_holds(prefix, &rules->rule[i].prefix) ? 0 : 1;
    }
    return outside;
}

static void forget(struct acl_rules *rules, const struct net_prefix *prefix)
{
    size_t kept = 0;
    for (size_t i = 0; i < rules->count; i++) {
        if (!net_prefix_holds(prefix, &rules->rule[i].prefix)) {
            rules->rule[kept++] = rules->rule[i];
        }
    }
    rules->count = kept;
}

NODISCARD enum nts_err acl_override(struct acl_rules *rules, const struct net_prefix *prefix,
                                    bool allow)
{
    if (prefix != NULL && rules_outside(rules, prefix) == ACL_RULES_MAX) {
        return NTS_ELIMIT;
    }
    size_t count;
    const struct net_prefix *added = list(prefix, &count);
    for (size_t i = 0; i < count; i++) {
        forget(rules, &added[i]);
    }
    return acl_add(rules, prefix, allow);
}

/* --- Sealing --- */

/* The walk over the rules of one family. */
struct walk {
    struct acl *acl;
    size_t begin;  /* its first range */
    bool fallback; /* the verdict outside of all rules */
    size_t depth;
    const struct acl_rule *open[OPEN_MAX];
};

static bool verdict(const struct walk *walk)
{
    return walk->depth > 0 ? walk->open[walk->depth - 1]->allow : walk->fallback;
}

/* From `start` on the verdict is the walk's, until something else is said. */
static void mark(struct walk *walk, struct number start)
{
    struct acl *acl = walk->acl;
    struct acl_range *last = acl->count > walk->begin ? &acl->range[acl->count - 1] : NULL;
    bool allow = verdict(walk);
    if (last != NULL && last->high == start.high && last->low == start.low) {
        last->allow = allow;
        return;
    }
    if (last != NULL && last->allow == allow) {
        return;
    }
    assert(acl->count < ACL_RANGES_MAX); /* by its definition */
    acl->range[acl->count++] =
        (struct acl_range){.high = start.high, .low = start.low, .allow = allow};
}

static void close_innermost(struct walk *walk)
{
    struct number last = last_of(&walk->open[--walk->depth]->prefix);
    if (last.high == UINT64_MAX && last.low == UINT64_MAX) {
        return; /* nothing comes after it */
    }
    last.low++;
    last.high += last.low == 0 ? 1 : 0;
    mark(walk, last);
}

static void open_rule(struct walk *walk, const struct acl_rule *rule)
{
    struct number first = first_of(&rule->prefix);
    while (walk->depth > 0 && is_above(first, last_of(&walk->open[walk->depth - 1]->prefix))) {
        close_innermost(walk);
    }
    assert(walk->depth < OPEN_MAX); /* those open hold one another, so their lengths differ */
    walk->open[walk->depth++] = rule;
    mark(walk, first);
}

static void seal_family(const struct acl_rules *rules, bool v6, struct acl *acl)
{
    struct walk walk = {.acl = acl, .begin = acl->count, .fallback = !rules->any_allow};
    mark(&walk, (struct number){0});
    for (size_t i = 0; i < rules->count; i++) {
        if (rules->rule[i].prefix.v6 == v6) {
            open_rule(&walk, &rules->rule[i]);
        }
    }
    while (walk.depth > 0) {
        close_innermost(&walk);
    }
}

void acl_seal(const struct acl_rules *rules, struct acl *acl)
{
    memset(acl, 0, sizeof(*acl));
    seal_family(rules, false, acl);
    acl->v4_count = acl->count;
    seal_family(rules, true, acl);
}

/* --- Looking up --- */

/* The last range that begins at `address` or before; the first one begins at 0. The loop has no
 * branch that depends on the address: a stranger's choice would be guessed wrong half the time. */
static bool find(const struct acl_range *range, size_t count, struct number address)
{
    while (count > 1) {
        size_t half = count / 2;
        struct number start = {.high = range[half].high, .low = range[half].low};
        range += is_above(start, address) ? 0 : half;
        count -= half;
    }
    return range->allow;
}

bool acl_allows(const struct acl *acl, const struct net_addr *addr)
{
    struct net_prefix prefix;
    if (net_prefix_of(addr, NET_PREFIX_V4_BITS, NET_PREFIX_V6_BITS, &prefix) != NTS_OK) {
        return false;
    }
    const struct acl_range *range = prefix.v6 ? acl->range + acl->v4_count : acl->range;
    size_t count = prefix.v6 ? acl->count - acl->v4_count : acl->v4_count;
    return count > 0 && find(range, count, first_of(&prefix));
}
