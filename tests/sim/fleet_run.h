/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One simulated life of a fleet: terms in, figures out. The same terms, the same figures.
 */
#ifndef NTSD_TESTS_SIM_FLEET_RUN_H
#define NTSD_TESTS_SIM_FLEET_RUN_H

#include "tests/sim/fleet_clients.h"

enum fleet_time {
    FLEET_QUIET,
    FLEET_ROTATING, /* from the adding of an epoch until a day after it began */
    FLEET_OUT,      /* the store is not to be reached */
    FLEET_DIVIDED,  /* hosts may know different documents: rule 4 of fleet_rules.h */
    FLEET_TIMES
};

enum { FLEET_KINDS_MAX = 8 };
extern const struct fleet_kind fleet_kinds[];
extern const size_t fleet_kind_count;

struct fleet_life {
    struct fleet_figures kind[FLEET_KINDS_MAX];
    struct fleet_figures time[FLEET_TIMES];
    struct fleet_counts counts;
    uint64_t rotations;
    uint64_t withdrawals;
    uint64_t pruned;
    uint64_t outages;
    int64_t out_s;
    uint64_t pruned_early; /* violations of the operator's */
    uint64_t failed;
};

/* The first `kinds` of fleet_kinds take part. False: out of memory. */
bool fleet_run(const struct fleet_terms *terms, size_t kinds, struct fleet_life *life);

/* Of all kinds of devices. */
struct fleet_figures fleet_total(const struct fleet_life *life);

enum fleet_rule {
    FLEET_RULE_OPENS,
    FLEET_RULE_EXPIRES,
    FLEET_RULE_WITHDRAWN,
    FLEET_RULE_KEY,
    FLEET_RULE_ROTATION,
    FLEET_RULE_NEWEST,
    FLEET_RULE_OLD,
    FLEET_RULE_PRUNE,
    FLEET_RULE_OPERATOR,
    FLEET_RULES
};

/* What never happened proves nothing. */
struct fleet_finding {
    const char *rule;
    uint64_t happened;
    uint64_t wrong;
};
struct fleet_finding fleet_find(const struct fleet_life *life, enum fleet_rule rule);

#endif
