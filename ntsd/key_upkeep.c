/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See key_upkeep.h.
 */
#include "ntsd/key_upkeep.h"

#include "common/keys/keyring.h"

bool key_upkeep_of_fleet(struct keydoc *doc, struct key_moment moment,
                         const struct key_terms *terms)
{
    return moment.trusted && moment.has_held &&
           keydoc_advance(doc, moment.now_s, terms->lifetime_s);
}

struct key_upkeep key_upkeep_do(struct keydoc *doc, struct key_moment moment,
                                const struct key_terms *terms, struct rng *rng)
{
    struct key_upkeep done = {.added = KEYPLAN_KEEP, .err = NTS_OK};
    if (!moment.trusted) {
        return done;
    }
    /* First, because it makes room for an epoch. */
    done.changed = key_upkeep_of_fleet(doc, moment, terms);
    struct keyplan plan = keyplan_make(doc, moment.now_s, terms->rotate_s);
    if (plan.why == KEYPLAN_KEEP || (plan.why == KEYPLAN_AHEAD && !moment.has_held)) {
        return done;
    }
    done.err = keyplan_apply(&plan, rng, doc, &done.fault);
    if (done.err == NTS_OK) {
        done.changed = true;
        done.added = plan.why;
    }
    return done;
}
