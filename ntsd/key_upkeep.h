/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a moment does to the secret document: which chain values are destroyed, which epoch is
 * added. Core: the one place that decides it, so that nothing is done without a trusted clock.
 */
#ifndef NTSD_NTSD_KEY_UPKEEP_H
#define NTSD_NTSD_KEY_UPKEEP_H

#include "common/keys/keyplan.h"
#include "ntsd/key_time.h"

struct key_upkeep {
    bool changed;           /* the document has to be stored */
    enum keyplan_why added; /* KEEP: no epoch was */
    enum nts_err err;       /* not NTS_OK: one is needed and `fault` says why there is none */
    struct keyplan_fault fault;
};

/*
 * Untrusted: nothing. Trusted: an epoch for another rotation, or before the periods run out. Held
 * as well (key_time.h): expired chain values are destroyed, and an epoch that issues now is added
 * when the document lies ahead. `doc` has an epoch.
 */
struct key_upkeep key_upkeep_do(struct keydoc *doc, struct key_moment moment,
                                const struct key_terms *terms, struct rng *rng);

/*
 * The same for a document that belongs to a fleet: held, expired chain values are destroyed, in
 * this copy of it alone, and nothing is ever added. True when `doc` changed.
 */
bool key_upkeep_of_fleet(struct keydoc *doc, struct key_moment moment,
                         const struct key_terms *terms);

#endif
