/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who tends the document of a simulated fleet: `ntsctl keys rotate` every hour on some host, a few
 * withdrawals, and outages of the store at the worst moments of a rotation.
 */
#ifndef NTSD_TESTS_SIM_FLEET_OPERATOR_H
#define NTSD_TESTS_SIM_FLEET_OPERATOR_H

#include "common/crypto/rng.h"
#include "tests/sim/fleet_host.h"

struct fleet_operator {
    const struct fleet_terms *terms;
    struct fleet_store *store;
    struct sim_random random;
    struct rng rng;
    size_t withdrawals; /* done, of those planned */
    uint64_t rotations;
    uint64_t pruned;       /* epochs */
    uint64_t pruned_early; /* violation: their cookies were still promised to open */
    uint64_t failed;       /* violation: there was no document to be made */
};

/* Puts the first version and makes the calendar of outages. */
void fleet_operator_init(struct fleet_operator *op, const struct fleet_terms *terms,
                         struct fleet_store *store);

/* Does what is due; when it is to be called next. */
int64_t fleet_operator_tick(struct fleet_operator *op, int64_t t);

#endif
