/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One simulated life of a fleet. See fleet_run.h. A queue of who is due next, and nothing between.
 */
#include "tests/sim/fleet_run.h"

#include "common/keys/keyedit.h"
#include "tests/sim/fleet_operator.h"

#include <assert.h>
#include <stdlib.h>

enum { CLIENTS_MAX = 1024, ACTORS_MAX = 1 + FLEET_HOSTS + CLIENTS_MAX };

#define LIFETIME KEYEDIT_LIFETIME_S
#define CERTAIN  (LIFETIME - 600) /* less twice the five minutes that clocks are off */

/* The last two live at the ends of what is promised. */
const struct fleet_kind fleet_kinds[] = {
    {"every 64 s", 3, 1, 64, 0},
    {"every day", 60, 1, FLEET_DAY_S - 4000, 8000},
    {"every week", 120, 1, 7 * FLEET_DAY_S - 12000, 24000},
    {"every day, 8 cookies", 40, 8, FLEET_DAY_S - 4000, 8000},
    {"in the last promised minute", 120, 1, CERTAIN - 60, 59},
    {"some hours later than that", 160, 1, CERTAIN, FLEET_DAY_S + 2 * 600 + 3600},
};
const size_t fleet_kind_count = sizeof(fleet_kinds) / sizeof(fleet_kinds[0]);

struct due {
    int64_t at;
    size_t who;
};

/* A heap: the earliest is on top, and of those the one with the lower number. */
struct queue {
    size_t count;
    struct due due[ACTORS_MAX];
};

struct run {
    struct fleet_terms terms;
    struct fleet_store store;
    struct fleet_operator op;
    struct fleet_host host[FLEET_HOSTS];
    struct fleet_field field;
    struct fleet_client client[CLIENTS_MAX];
    size_t clients;
    struct queue queue;
    struct fleet_life *life;
};

static bool is_before(struct due a, struct due b)
{
    return a.at < b.at || (a.at == b.at && a.who < b.who);
}

static void queue_add(struct queue *queue, size_t who, int64_t at)
{
    const struct due due = {.at = at, .who = who};
    size_t i = queue->count++;
    assert(queue->count <= ACTORS_MAX);
    for (; i > 0 && is_before(due, queue->due[(i - 1) / 2]); i = (i - 1) / 2) {
        queue->due[i] = queue->due[(i - 1) / 2];
    }
    queue->due[i] = due;
}

/* The one on top comes again, later. */
static void queue_put_off(struct queue *queue, int64_t at)
{
    const struct due due = {.at = at, .who = queue->due[0].who};
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < queue->count; i = child) {
        if (child + 1 < queue->count && is_before(queue->due[child + 1], queue->due[child])) {
            child++;
        }
        if (!is_before(queue->due[child], due)) {
            break;
        }
        queue->due[i] = queue->due[child];
    }
    queue->due[i] = due;
}

static enum fleet_time what_is_going_on(const struct fleet_store *store, int64_t t)
{
    const struct fleet_version *newest = &store->version[store->versions - 1];
    int64_t begins = newest->doc.epoch[keyedit_newest(&newest->doc)].not_before;
    if (fleet_rules_is_unsettled(store, t)) {
        return FLEET_DIVIDED;
    }
    if (fleet_store_is_out(store, t)) {
        return FLEET_OUT;
    }
    return store->versions > 1 && t < begins + FLEET_DAY_S ? FLEET_ROTATING : FLEET_QUIET;
}

static int64_t tick(struct run *run, size_t who, int64_t t)
{
    if (who == 0) {
        return fleet_operator_tick(&run->op, t);
    }
    if (who <= FLEET_HOSTS) {
        return fleet_host_tick(&run->host[who - 1], t);
    }
    run->field.now = &run->life->time[what_is_going_on(&run->store, t)];
    return fleet_client_tick(&run->field, &run->client[who - 1 - FLEET_HOSTS], t);
}

static int fill(void *ctx, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = (uint8_t)sim_random_u64(ctx);
    }
    return 0;
}

/* Devices begin anywhere in their first interval, instances in the first hours. */
static void people(struct run *run, size_t kinds)
{
    struct sim_random *random = &run->field.random;
    queue_add(&run->queue, 0, FLEET_BEGIN + 1);
    for (size_t i = 0; i < FLEET_HOSTS; i++) {
        int64_t t = FLEET_BEGIN + 1 + (int64_t)(sim_random_u64(random) % 10000);
        fleet_host_init(&run->host[i], &run->terms, &run->store, &run->life->counts,
                        sim_random_u64(random), t);
        queue_add(&run->queue, 1 + i, t);
    }
    for (size_t k = 0; k < kinds; k++) {
        for (size_t i = 0; i < fleet_kinds[k].count && run->clients < CLIENTS_MAX; i++) {
            uint64_t spread = (uint64_t)(fleet_kinds[k].gap_s + fleet_kinds[k].spread_s);
            int64_t t = FLEET_BEGIN + 10000 + (int64_t)(sim_random_u64(random) % spread);
            run->client[run->clients].kind = &fleet_kinds[k];
            run->client[run->clients].figures = &run->life->kind[k];
            queue_add(&run->queue, 1 + FLEET_HOSTS + run->clients++, t);
        }
    }
}

static void sum_up(const struct run *run)
{
    struct fleet_life *life = run->life;
    life->rotations = run->op.rotations;
    life->withdrawals = run->op.withdrawals;
    life->pruned = run->op.pruned;
    life->pruned_early = run->op.pruned_early;
    life->failed = run->op.failed;
    life->outages = run->store.outages;
    for (size_t i = 0; i < run->store.outages; i++) {
        life->out_s += run->store.outage[i].until - run->store.outage[i].from;
    }
}

bool fleet_run(const struct fleet_terms *terms, size_t kinds, struct fleet_life *life)
{
    static_assert(sizeof(fleet_kinds) / sizeof(fleet_kinds[0]) <= FLEET_KINDS_MAX, "room");
    *life = (struct fleet_life){.rotations = 0};
    struct run *run = calloc(1, sizeof(*run));
    if (run == NULL) {
        return false;
    }
    run->terms = *terms;
    run->life = life;
    run->field = (struct fleet_field){
        .terms = &run->terms, .store = &run->store, .host = run->host, .random.state = terms->seed};
    rng_init_from(&run->field.rng, fill, &run->field.random);
    fleet_operator_init(&run->op, &run->terms, &run->store);
    people(run, kinds);
    int64_t end = FLEET_BEGIN + terms->days * FLEET_DAY_S;
    while (run->queue.due[0].at < end) {
        struct due due = run->queue.due[0];
        queue_put_off(&run->queue, tick(run, due.who, due.at));
    }
    sum_up(run);
    free(run);
    return true;
}

struct fleet_figures fleet_total(const struct fleet_life *life)
{
    struct fleet_figures sum = {.issued = 0};
    for (size_t i = 0; i < FLEET_TIMES; i++) {
        const struct fleet_figures *f = &life->time[i];
        sum.issued += f->issued;
        sum.shown += f->shown;
        sum.opened += f->opened;
        sum.expired += f->expired;
        sum.withdrawn += f->withdrawn;
        sum.unsettled += f->unsettled;
        sum.refused += f->refused;
        sum.too_late += f->too_late;
        sum.revived += f->revived;
        sum.wrong += f->wrong;
    }
    return sum;
}

static uint64_t count_refused(const uint64_t *change)
{
    uint64_t sum = 0;
    for (unsigned i = KEYCHANGE_OTHER; i < KEYCHANGES; i++) {
        sum += change[i];
    }
    return sum;
}

struct fleet_finding fleet_find(const struct fleet_life *life, enum fleet_rule rule)
{
    const struct fleet_figures f = fleet_total(life);
    const struct fleet_figures *r = &life->time[FLEET_ROTATING];
    const struct fleet_counts *c = &life->counts;
    const struct fleet_finding findings[FLEET_RULES] = {
        [FLEET_RULE_OPENS] = {"cookies open as promised", f.opened, f.refused},
        [FLEET_RULE_EXPIRES] = {"none opens past its time", f.expired, f.too_late},
        [FLEET_RULE_WITHDRAWN] = {"none opens that was withdrawn", f.withdrawn, f.revived},
        [FLEET_RULE_KEY] = {"all are sealed with the key of the rules", f.issued, f.wrong},
        [FLEET_RULE_ROTATION] = {"a rotation by itself costs none", r->opened,
                                 r->refused + r->unsettled},
        [FLEET_RULE_NEWEST] = {"the newest document is taken", c->fresh[KEYCHANGE_NEWER],
                               c->refused_newest},
        [FLEET_RULE_OLD] = {"an old copy that lacks something is not", count_refused(c->stale),
                            c->followed_stale},
        [FLEET_RULE_PRUNE] = {"nothing is pruned too soon", life->pruned, life->pruned_early},
        [FLEET_RULE_OPERATOR] = {"the operator finds nothing impossible",
                                 life->rotations + life->withdrawals, life->failed},
    };
    return findings[rule];
}
