/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operator's changes. See keyedit.h. Each works on a copy, which takes the document's place
 * when all of it went well.
 */
#include "common/keys/keyedit.h"

#include "common/base/secret.h"
#include "common/keys/keyepoch.h"
#include "common/keys/keyplan.h"
#include "common/keys/keyring.h"

size_t keyedit_newest(const struct keydoc *doc)
{
    size_t e = doc->count - 1;
    while (e > 0 && doc->epoch[e].revoked) {
        e--;
    }
    return e;
}

int64_t keyedit_begin(int64_t now_s, uint32_t rotate_s)
{
    const struct keydoc none = {.count = 0};
    return keyplan_make(&none, now_s, rotate_s).not_before;
}

/* The first second from `not_before` on at which no epoch begins: two may not share one. */
static int64_t free_second(const struct keydoc *doc, int64_t not_before)
{
    for (size_t e = 0; e < doc->count; e++) {
        if (doc->epoch[e].not_before == not_before) {
            not_before++; /* they are in order, so those already passed stay passed */
        }
    }
    return not_before;
}

static size_t place_of(const struct keydoc *doc, int64_t not_before)
{
    size_t e = 0;
    while (e < doc->count && doc->epoch[e].not_before < not_before) {
        e++;
    }
    return e;
}

/* Puts a new epoch in at `not_before`, or the next free second. */
static enum keyedit insert(struct keydoc *doc, int64_t not_before, uint32_t rotate_s,
                           struct rng *rng, struct keyedit_report *report)
{
    struct keyplan_fault fault;
    struct keyplan plan = {
        .why = KEYPLAN_FIRST, .not_before = free_second(doc, not_before), .rotate_s = rotate_s};
    plan.at = place_of(doc, plan.not_before);
    if (plan.not_before < 0 || plan.not_before > KEYDOC_NOT_BEFORE_MAX) {
        return KEYEDIT_BEYOND;
    }
    if (doc->count == KEYDOC_EPOCHS_MAX) {
        return KEYEDIT_FULL;
    }
    if (keyplan_apply(&plan, rng, doc, &fault) != NTS_OK) {
        return KEYEDIT_NO_RANDOM;
    }
    report->added = doc->epoch[plan.at].id;
    return KEYEDIT_DONE;
}

/* `copy` becomes the document when it is done. */
static enum keyedit settle(struct keydoc *doc, struct keydoc *copy, enum keyedit outcome)
{
    if (outcome == KEYEDIT_DONE) {
        *doc = *copy;
    }
    keydoc_wipe(copy);
    return outcome;
}

enum keyedit keyedit_init(int64_t not_before, uint32_t rotate_s, struct rng *rng,
                          struct keydoc *doc)
{
    struct keyedit_report report;
    keydoc_wipe(doc);
    return insert(doc, not_before, rotate_s, rng, &report);
}

enum keyedit keyedit_add(struct keydoc *doc, const struct keyedit_wish *wish, struct rng *rng,
                         struct keyedit_report *report)
{
    const struct keydoc_epoch *newest = &doc->epoch[keyedit_newest(doc)];
    int64_t not_before = keyepoch_sat_add(wish->now_s, wish->ahead_s);
    *report = (struct keyedit_report){.about = newest->id};
    if (newest->not_before > wish->now_s && !wish->again) {
        return KEYEDIT_WAITS;
    }
    if (not_before <= newest->not_before) {
        return KEYEDIT_EARLY;
    }
    if (not_before > KEYDOC_NOT_BEFORE_MAX) {
        return KEYEDIT_BEYOND;
    }
    struct keydoc copy = *doc;
    uint32_t rotate_s = wish->rotate_s != 0 ? wish->rotate_s : newest->rotate_s;
    return settle(doc, &copy, insert(&copy, not_before, rotate_s, rng, report));
}

/* By its age, or because half of the periods that it has are behind it. */
static bool is_due(const struct keydoc_epoch *newest, const struct keyedit_wish *wish)
{
    int64_t age = keyepoch_sat_sub(wish->now_s, newest->not_before);
    return age >= wish->every_s || age / newest->rotate_s > KEYDOC_INDEX_MAX / 2;
}

enum keyedit keyedit_rotate(struct keydoc *doc, const struct keyedit_wish *wish, struct rng *rng,
                            struct keyedit_report *report)
{
    const struct keydoc_epoch *newest = &doc->epoch[keyedit_newest(doc)];
    *report = (struct keyedit_report){.about = newest->id};
    if (newest->not_before > wish->now_s) {
        return KEYEDIT_WAITS;
    }
    if (!is_due(newest, wish)) {
        return KEYEDIT_YOUNG;
    }
    struct keyedit_report pruned;
    struct keyedit_report added;
    struct keydoc copy = *doc;
    (void)keyedit_prune(&copy, wish, &pruned);
    enum keyedit outcome = settle(doc, &copy, keyedit_add(&copy, wish, rng, &added));
    if (outcome == KEYEDIT_DONE) {
        pruned.added = added.added;
        pruned.about = added.about;
        *report = pruned;
    }
    return outcome;
}

/* How many epochs of `before` are in `after` with a later chain value. */
static size_t count_advanced(const struct keydoc *before, const struct keydoc *after)
{
    size_t count = 0;
    for (size_t a = 0; a < after->count; a++) {
        for (size_t b = 0; b < before->count; b++) {
            count += before->epoch[b].id == after->epoch[a].id &&
                     before->epoch[b].index < after->epoch[a].index;
        }
    }
    return count;
}

enum keyedit keyedit_prune(struct keydoc *doc, const struct keyedit_wish *wish,
                           struct keyedit_report *report)
{
    struct keydoc copy = *doc;
    *report = (struct keyedit_report){0};
    /* As the host sees it whose clock is farthest behind. */
    bool changed =
        keydoc_advance(&copy, keyepoch_sat_sub(wish->now_s, KEYEDIT_SLACK_S), wish->lifetime_s);
    if (changed) {
        report->dropped = doc->count - copy.count;
        report->advanced = count_advanced(doc, &copy);
    }
    return settle(doc, &copy, changed ? KEYEDIT_DONE : KEYEDIT_NOTHING);
}

static bool has_begun_one(const struct keydoc *doc, int64_t now_s)
{
    for (size_t e = 0; e < doc->count; e++) {
        if (!doc->epoch[e].revoked && doc->epoch[e].not_before <= now_s) {
            return true;
        }
    }
    return false;
}

static enum keyedit revoke_at(struct keydoc *doc, size_t e, int64_t now_s, struct rng *rng,
                              struct keyedit_report *report)
{
    uint32_t rotate_s = doc->epoch[e].rotate_s;
    doc->epoch[e].revoked = true;
    if (has_begun_one(doc, now_s)) {
        return KEYEDIT_DONE;
    }
    /* Among those that began before it is of no importance where: they are all revoked. */
    return insert(doc, keyedit_begin(now_s, rotate_s), rotate_s, rng, report);
}

enum keyedit keyedit_revoke(struct keydoc *doc, uint8_t id, int64_t now_s, struct rng *rng,
                            struct keyedit_report *report)
{
    *report = (struct keyedit_report){.about = id};
    for (size_t e = 0; e < doc->count; e++) {
        if (doc->epoch[e].id != id) {
            continue;
        }
        if (doc->epoch[e].revoked) {
            return KEYEDIT_NOTHING;
        }
        struct keydoc copy = *doc;
        return settle(doc, &copy, revoke_at(&copy, e, now_s, rng, report));
    }
    return KEYEDIT_UNKNOWN;
}

const char *keyedit_state_name(enum keyedit_state state)
{
    switch (state) {
    case KEYEDIT_REVOKED:
        return "revoked";
    case KEYEDIT_EXPIRED:
        return "expired";
    case KEYEDIT_PAST:
        return "past";
    case KEYEDIT_ISSUING:
        return "issuing";
    case KEYEDIT_WAITING:
        return "waiting";
    }
    return "?";
}

enum keyedit_state keyedit_state_of(const struct keydoc *doc, size_t e,
                                    const struct keyedit_wish *wish, int64_t *opens_until)
{
    const struct keydoc_epoch *epoch = &doc->epoch[e];
    size_t issuing = keyring_place_at(doc, wish->now_s).epoch;
    *opens_until = INT64_MAX;
    if (epoch->revoked) {
        return KEYEDIT_REVOKED;
    }
    if (e >= issuing) {
        return e == issuing ? KEYEDIT_ISSUING : KEYEDIT_WAITING;
    }
    *opens_until = keyepoch_sat_add(keyepoch_end(doc, e), wish->lifetime_s);
    return keyepoch_has_keys(doc, e) && *opens_until > wish->now_s ? KEYEDIT_PAST : KEYEDIT_EXPIRED;
}
