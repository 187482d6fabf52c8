/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who tends the document of a simulated fleet. See fleet_operator.h.
 */
#include "tests/sim/fleet_operator.h"

#include "common/keys/keyedit.h"

enum {
    HOUR_S = 3600,
    OUTAGE_EVERY_DAYS = 36, /* begun, on average */
    OUTAGE_DAYS_MAX = 5,
    /* Of the rotations, these: */
    CUT_SHORT = 3, /* the store fails before every host has fetched, for longer than the lead */
    CUT_LATER = 5, /* as soon as every host has, so that the epoch begins meanwhile */
};

/* Which epoch is withdrawn: of the newest one's place. */
struct withdrawal {
    int day;          /* not before */
    int age_min_days; /* of the newest epoch */
    int age_max_days;
    size_t back; /* 0: the newest, 1: the one before it */
};
static const struct withdrawal plan[] = {
    {60, 3, 6, 1},    /* one that has stopped issuing: its cookies alone are refused */
    {120, 12, 29, 0}, /* the one that issues, alone in the document: a new one issues at once */
    {180, 2, 5, 0},   /* the one that issues: the one before it goes on */
    {240, -1, -1, 0}, /* one that has yet to begin */
};

static int64_t below(struct fleet_operator *op, int64_t limit)
{
    return (int64_t)(sim_random_u64(&op->random) % (uint64_t)limit);
}

static int fill(void *ctx, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = (uint8_t)sim_random_u64(ctx);
    }
    return 0;
}

static void plan_outages(struct fleet_operator *op)
{
    int64_t t = FLEET_BEGIN;
    for (;;) {
        t += HOUR_S + below(op, 2 * OUTAGE_EVERY_DAYS * FLEET_DAY_S);
        if (t >= FLEET_BEGIN + op->terms->days * FLEET_DAY_S) {
            return;
        }
        int64_t length = 60 + below(op, OUTAGE_DAYS_MAX * FLEET_DAY_S);
        fleet_store_break(op->store, t, length);
        t += length;
    }
}

void fleet_operator_init(struct fleet_operator *op, const struct fleet_terms *terms,
                         struct fleet_store *store)
{
    struct keydoc doc;
    op->terms = terms;
    op->store = store;
    op->random.state = terms->seed ^ UINT64_C(0x6f70657261746f72);
    rng_init_from(&op->rng, fill, &op->random);
    op->failed += keyedit_init(keyedit_begin(FLEET_BEGIN, KEYEDIT_ROTATE_S), KEYEDIT_ROTATE_S,
                               &op->rng, &doc) != KEYEDIT_DONE ||
                  !fleet_store_put(store, FLEET_BEGIN, &doc);
    plan_outages(op);
}

/* Was it too soon to forget what this version forgets? By the version before it. */
static void check_pruned(struct fleet_operator *op, int64_t t)
{
    const struct fleet_store *store = op->store;
    size_t v = store->versions - 1;
    for (size_t e = 0; e < store->epochs; e++) {
        if (store->epoch[e].dropped_in != v) {
            continue;
        }
        int64_t end = fleet_rules_end(store, v - 1, e);
        op->pruned++;
        op->pruned_early +=
            end == INT64_MAX || end + op->terms->limits.lifetime_s - op->terms->limits.skew_s > t;
    }
}

static void put(struct fleet_operator *op, const struct keydoc *doc, int64_t t)
{
    if (!fleet_store_put(op->store, t, doc)) {
        op->failed++;
        return;
    }
    check_pruned(op, t);
}

static void interrupt(struct fleet_operator *op, int64_t t)
{
    if (op->rotations == CUT_SHORT) {
        fleet_store_break(op->store, t + 100, 3 * FLEET_DAY_S);
    } else if (op->rotations == CUT_LATER) {
        fleet_store_break(op->store, t + FLEET_KNOWN_S, 4 * FLEET_DAY_S);
    }
}

/* By the clock of whichever host runs the timer. */
static void rotate(struct fleet_operator *op, struct keydoc *doc, int64_t t)
{
    struct keyedit_report report;
    int64_t skew = op->terms->limits.skew_s;
    struct keyedit_wish wish = {.now_s = t + below(op, 2 * skew + 1) - skew,
                                .ahead_s = op->terms->ahead_s,
                                .every_s = KEYEDIT_EVERY_S,
                                .lifetime_s = op->terms->limits.lifetime_s};
    if (op->terms->has_short_memory) {
        wish.lifetime_s /= 2;
    }
    enum keyedit done = keyedit_rotate(doc, &wish, &op->rng, &report);
    if (done == KEYEDIT_DONE) {
        put(op, doc, t);
        op->rotations++;
        interrupt(op, t);
    } else if (op->terms->has_short_memory && keyedit_prune(doc, &wish, &report) == KEYEDIT_DONE) {
        put(op, doc, t);
    } else {
        op->failed += done != KEYEDIT_WAITS && done != KEYEDIT_YOUNG;
    }
}

/* Full days since the newest epoch began, rounded down; the place of the one to withdraw. */
static bool is_due(const struct fleet_operator *op, const struct keydoc *doc, int64_t t)
{
    if (op->withdrawals == sizeof(plan) / sizeof(plan[0])) {
        return false;
    }
    const struct withdrawal *next = &plan[op->withdrawals];
    size_t newest = keyedit_newest(doc);
    int64_t age = t - doc->epoch[newest].not_before;
    int64_t age_days = age < 0 ? -1 : age / FLEET_DAY_S;
    return t >= FLEET_BEGIN + (int64_t)next->day * FLEET_DAY_S && age_days >= next->age_min_days &&
           age_days <= next->age_max_days && newest >= next->back;
}

static void withdraw(struct fleet_operator *op, struct keydoc *doc, int64_t t)
{
    struct keyedit_report report;
    const struct keydoc_epoch *epoch =
        &doc->epoch[keyedit_newest(doc) - plan[op->withdrawals].back];
    if (keyedit_revoke(doc, epoch->id, t, &op->rng, &report) == KEYEDIT_DONE) {
        put(op, doc, t);
    } else {
        op->failed++;
    }
    op->withdrawals++;
}

int64_t fleet_operator_tick(struct fleet_operator *op, int64_t t)
{
    if (!fleet_store_is_out(op->store, t)) {
        struct keydoc doc = op->store->version[op->store->versions - 1].doc;
        if (is_due(op, &doc, t)) {
            withdraw(op, &doc, t);
        } else {
            rotate(op, &doc, t);
        }
        keydoc_wipe(&doc);
    }
    return t + HOUR_S + below(op, 60);
}
