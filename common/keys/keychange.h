/* SPDX-License-Identifier: Apache-2.0 */
/*
 * May a document that a secret store hands out take the place of the one in service? Core;
 * thread-safe.
 *
 * A store can hand out an old copy (a replica that lags, a backup restored over it), a part, or
 * somebody else's document, each of them well-formed. Whoever follows it refuses cookies that the
 * rest of the fleet accepts. So a successor has to know all that its predecessor knows: every epoch
 * of which a key is still accepted or has yet to issue, by the same secret, and every withdrawal.
 * What it knows beyond that, or about epochs that are past, is not looked at: a host that was cut
 * off from the store finds epochs that began long ago, and has to follow.
 */
#ifndef NTSD_COMMON_KEYS_KEYCHANGE_H
#define NTSD_COMMON_KEYS_KEYCHANGE_H

#include "common/keys/keydoc.h"

enum keychange {
    KEYCHANGE_SAME,  /* both make the same ring, from now on: nothing to do */
    KEYCHANGE_NEWER, /* take it: it has an epoch, a withdrawal or a key in use that held has not */
    KEYCHANGE_OTHER, /* an id names another secret, beginning or period than it did */
    KEYCHANGE_MISSING,   /* an epoch is gone that still has keys to open or to issue with */
    KEYCHANGE_FORGOTTEN, /* it is there, but its keys still accepted cannot be computed any more */
    KEYCHANGE_RESTORED,  /* an epoch that was withdrawn is not withdrawn in it */
    KEYCHANGES
};
const char *keychange_name(enum keychange change); /* snake_case, for metrics; static */

/*
 * Judges `offered` against `held`, both as keydoc_parse() makes them, at `now_s` with cookies of
 * `lifetime_s`. From OTHER on, `fault` names the epoch and says what to do; else it is empty.
 *
 * Neither has to be the less or the more advanced one (keydoc_advance()). NEWER: take `offered` as
 * it is, whole. It brings back the chain values that `held` had destroyed, so advance it whenever
 * the clock allows, as before. SAME: keep `held`, there is nothing to bring back. Costs one step of
 * the ratchet for each period between the two indices of an epoch.
 */
enum keychange keychange_judge(const struct keydoc *held, const struct keydoc *offered,
                               int64_t now_s, int64_t lifetime_s, struct keydoc_fault *fault);

#endif
