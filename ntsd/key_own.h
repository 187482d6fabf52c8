/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Provider `auto`: this host's own document in the state directory, made, extended, advanced and
 * stored again. Shell module; what is done to the document, and when a clock is good enough for it,
 * is decided in key_upkeep.h. A directory that fails leaves the keys running and is tried again.
 */
#ifndef NTSD_NTSD_KEY_OWN_H
#define NTSD_NTSD_KEY_OWN_H

#include "common/base/log.h"
#include "ntsd/key_upkeep.h"

struct key_own {
    const char *dir;
    struct rng *rng;
    bool unsaved; /* the document is newer than what the directory holds */
    bool save_failed;
    struct log_limit failures;
};

void key_own_init(struct key_own *own, const char *dir, struct rng *rng);

/* Loads the document; makes one when there is none, unless keys are `in_service`. False: logged. */
bool key_own_load(struct key_own *own, const struct key_terms *terms, int64_t now_s,
                  bool in_service, struct keydoc *doc);

/* What this moment does to the document, stored before it is used. True when it changed. */
bool key_own_keep_up(struct key_own *own, struct keydoc *doc, struct key_moment moment,
                     const struct key_terms *terms);

#endif
