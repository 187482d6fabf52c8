/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a document of this host's own needs one more epoch, and the making of it. Core; `now_s`
 * beyond what a document can say counts as that limit. What was revoked issues nothing and is
 * waited for by nobody; only its id and its first second stay taken. Thread-safe.
 */
#ifndef NTSD_COMMON_KEYS_KEYPLAN_H
#define NTSD_COMMON_KEYS_KEYPLAN_H

#include "common/crypto/rng.h"
#include "common/keys/keydoc.h"

enum keyplan_why {
    KEYPLAN_KEEP,     /* the document will do */
    KEYPLAN_FIRST,    /* there is no epoch yet */
    KEYPLAN_ROTATION, /* the epoch in use, or about to be, has periods of another length */
    KEYPLAN_USED_UP,  /* half of its periods are behind it */
    KEYPLAN_AHEAD,    /* the key that issues begins more than a period from now: made, or ratcheted,
                         by a clock that was ahead, it would not rotate until that moment */
};

/* One sentence without the document's name. */
struct keyplan_fault {
    char text[160];
};

struct keyplan {
    enum keyplan_why why;
    size_t at;          /* place among the epochs */
    int64_t not_before; /* of the new one */
    uint32_t rotate_s;
};

/*
 * What `doc`, which may be empty, needs. ROTATION and USED_UP begin with the end of the running
 * period; FIRST and AHEAD issue at once. No epoch is ever taken out for it: one that lies in the
 * future stays behind the new one. But AHEAD ends an epoch that has begun and whose chain value is
 * of the future, so it is to be believed only from a clock that may also destroy.
 */
struct keyplan keyplan_make(const struct keydoc *doc, int64_t now_s, uint32_t rotate_s);

/* Puts the epoch in, with a secret and a free id drawn from `rng`; KEEP does nothing. NTS_ELIMIT:
 * no room, or a clock beyond the year 9999. NTS_ESYSTEM: no randomness. See `fault`; `doc` is then
 * untouched. */
NODISCARD enum nts_err keyplan_apply(const struct keyplan *plan, struct rng *rng,
                                     struct keydoc *doc, struct keyplan_fault *fault);

#endif
