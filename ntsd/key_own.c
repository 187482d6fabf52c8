/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See key_own.h.
 */
#include "ntsd/key_own.h"

#include "common/keys/keystore.h"

void key_own_init(struct key_own *own, const char *dir, struct rng *rng)
{
    *own = (struct key_own){.dir = dir, .rng = rng, .failures = {.interval_s = 60, .burst = 3}};
}

static void fail(struct key_own *own, const char *event, const char *why)
{
    uint64_t suppressed = 0;
    if (log_limit_allows(&own->failures, mono_now(), &suppressed)) {
        log_event(LOG_LEVEL_ERROR, event, "reason", why, NULL);
    }
}

bool key_own_load(struct key_own *own, const struct key_terms *terms, int64_t now_s,
                  bool in_service, struct keydoc *doc)
{
    struct keystore_fault fault = {{0}};
    /* A ring in service, whoever of this role put it there: a secret made anew would refuse its
     * cookies. It stays while this process fails and is tried again. */
    const struct keystore_options options = {
        .dir = own->dir, .now_s = now_s, .rotate_s = terms->rotate_s, .may_create = !in_service};
    enum nts_err err = keystore_open(&options, own->rng, doc, &fault);
    if (err != NTS_OK) {
        log_event(LOG_LEVEL_ERROR, "no keys", "reason", fault.text, NULL);
    }
    return err == NTS_OK;
}

static void tell_epoch(struct key_own *own, const struct key_upkeep *done)
{
    if (done->err != NTS_OK) {
        fail(own, "secret document needs an epoch, the keys go on", done->fault.text);
    }
    switch (done->added) {
    case KEYPLAN_KEEP:
        return;
    case KEYPLAN_FIRST:
    case KEYPLAN_ROTATION:
    case KEYPLAN_USED_UP:
        log_event(LOG_LEVEL_INFO, "epoch added", "why",
                  done->added == KEYPLAN_USED_UP ? "periods used up" : "ntsrotate", NULL);
        return;
    case KEYPLAN_AHEAD:
        log_event(LOG_LEVEL_ERROR,
                  "secret document was made by a clock ahead, epoch added that begins now",
                  "effect", "cookies sealed with the old one are refused", NULL);
        return;
    }
}

static void save(struct key_own *own, const struct keydoc *doc)
{
    struct keystore_fault fault;
    bool saved = keystore_save(own->dir, doc, &fault) == NTS_OK;
    if (!saved) {
        fail(own, "secret document not stored, the keys go on", fault.text);
    } else if (own->save_failed) {
        log_event(LOG_LEVEL_INFO, "secret document stored again", NULL);
    }
    own->unsaved = !saved;
    own->save_failed = !saved;
}

bool key_own_keep_up(struct key_own *own, struct keydoc *doc, struct key_moment moment,
                     const struct key_terms *terms)
{
    struct key_upkeep done = key_upkeep_do(doc, moment, terms, own->rng);
    tell_epoch(own, &done);
    own->unsaved = own->unsaved || done.changed;
    if (own->unsaved) {
        save(own, doc);
    }
    return done.changed;
}
