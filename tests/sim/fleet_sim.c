/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fleet_sim [--seed N] [--days N]: lives through a year of a fleet with one secret document, prints
 * what came of it and then, a rule a line, `ok - ` or `not ok - `. The rules are in fleet_rules.h.
 * After that it lives through fleets that break one rule each, which it has to notice. Ends with
 * status 1 if a rule was broken or a broken one went unnoticed, 2 if it was called wrongly. Nothing
 * here depends on the machine's clock.
 */
#include "common/keys/keyedit.h"
#include "tests/sim/fleet_run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const time_names[FLEET_TIMES] = {
    [FLEET_QUIET] = "quiet",
    [FLEET_ROTATING] = "an epoch is added and begins",
    [FLEET_OUT] = "the store is out",
    [FLEET_DIVIDED] = "hosts may know different documents",
};

static void print_head(const char *what)
{
    printf("| %s | cookies issued | shown | opened | expired | withdrawn | unsettled | "
           "refused though promised | opened past its time | opened though withdrawn | wrong |\n",
           what);
    printf("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n");
}

static void print_row(const char *name, const struct fleet_figures *f)
{
    printf("| %s | %" PRIu64 " | %" PRIu64 " | %" PRIu64 " | %" PRIu64 " | %" PRIu64 " | %" PRIu64
           " | %" PRIu64 " | %" PRIu64 " | %" PRIu64 " | %" PRIu64 " |\n",
           name, f->issued, f->shown, f->opened, f->expired, f->withdrawn, f->unsettled, f->refused,
           f->too_late, f->revived, f->wrong);
}

static void print_changes(const char *what, const uint64_t *count)
{
    printf("| %s |", what);
    for (unsigned i = 0; i < KEYCHANGES; i++) {
        printf(" %" PRIu64 " |", count[i]);
    }
    printf("\n");
}

static void print_life(const struct fleet_life *life)
{
    const struct fleet_figures total = fleet_total(life);
    print_head("device asks");
    for (size_t k = 0; k < fleet_kind_count; k++) {
        print_row(fleet_kinds[k].name, &life->kind[k]);
    }
    print_row("all", &total);
    printf("\n");
    print_head("meanwhile");
    for (size_t i = 0; i < FLEET_TIMES; i++) {
        print_row(time_names[i], &life->time[i]);
    }
    printf("\n| answer of the store |");
    for (unsigned i = 0; i < KEYCHANGES; i++) {
        printf(" %s |", keychange_name((enum keychange)i));
    }
    printf("\n| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n");
    print_changes("the newest document", life->counts.fresh);
    print_changes("an old copy", life->counts.stale);
    printf("\n%" PRIu64 " rotations, %" PRIu64 " withdrawals, %" PRIu64 " epochs pruned, %" PRIu64
           " outages of %.1f days in all, %" PRIu64 " instances started, %" PRIu64
           " clocks turned, %" PRIu64 " rings made\n",
           life->rotations, life->withdrawals, life->pruned, life->outages,
           (double)life->out_s / FLEET_DAY_S, life->counts.hosts, life->counts.clocks_turned,
           life->counts.rings);
}

/* A line a rule; how many were broken. */
static unsigned judge(const struct fleet_life *life)
{
    unsigned broken = 0;
    for (unsigned i = 0; i < FLEET_RULES; i++) {
        const struct fleet_finding found = fleet_find(life, (enum fleet_rule)i);
        bool good = found.wrong == 0 && found.happened > 0;
        printf("%s - fleet: %s (%" PRIu64 ", %" PRIu64 " wrong)\n", good ? "ok" : "not ok",
               found.rule, found.happened, found.wrong);
        broken += !good;
    }
    return broken;
}

static struct fleet_terms good_terms(uint64_t seed, int64_t days)
{
    return (struct fleet_terms){.seed = seed,
                                .days = days,
                                .limits = {.lifetime_s = KEYEDIT_LIFETIME_S, .skew_s = 300},
                                .host_lifetime_s = KEYEDIT_LIFETIME_S,
                                .ahead_s = KEYEDIT_AHEAD_S};
}

/* Fleets in which something is amiss, and the rule that has to be found broken. */
static unsigned expect_noticed(uint64_t seed)
{
    enum { BAD = 7, DAYS = 130, FEW_KINDS = 2 };
    static const struct {
        const char *name;
        enum fleet_rule breaks;
    } cases[BAD] = {
        {"epochs begin as soon as they are added", FLEET_RULE_OPENS},
        {"hosts believe whatever the store hands out", FLEET_RULE_OPENS},
        {"hosts ignore withdrawals", FLEET_RULE_WITHDRAWN},
        {"hosts open cookies for two days more", FLEET_RULE_EXPIRES},
        {"hosts open cookies for a day less", FLEET_RULE_OPENS},
        {"operators prune by half of the lifetime", FLEET_RULE_NEWEST},
        {"clocks are off by more than half a period", FLEET_RULE_OPENS},
    };
    struct fleet_terms bad[BAD];
    for (size_t i = 0; i < BAD; i++) {
        bad[i] = good_terms(seed, DAYS);
    }
    bad[0].ahead_s = -600; /* by every clock */
    bad[0].days = 2 * DAYS;
    bad[1].believes_all = true;
    bad[2].ignores_withdrawals = true;
    bad[3].host_lifetime_s += 2 * FLEET_DAY_S;
    bad[4].host_lifetime_s -= FLEET_DAY_S;
    bad[5].has_short_memory = true;
    bad[6].limits.skew_s = 50000;
    unsigned unnoticed = 0;
    for (size_t i = 0; i < BAD; i++) {
        struct fleet_life life;
        size_t kinds = i == 3 || i == 4 ? fleet_kind_count : FEW_KINDS;
        bool ran = fleet_run(&bad[i], kinds, &life);
        uint64_t wrong = ran ? fleet_find(&life, cases[i].breaks).wrong : 0;
        printf("%s - fleet: it is noticed when %s (%" PRIu64 " wrong)\n",
               wrong > 0 ? "ok" : "not ok", cases[i].name, wrong);
        unnoticed += wrong == 0;
    }
    return unnoticed;
}

int main(int argc, char **argv)
{
    uint64_t seed = 1;
    int64_t days = 366;
    int i = 1;
    for (; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--seed") == 0) {
            seed = strtoull(argv[i + 1], NULL, 0);
        } else if (strcmp(argv[i], "--days") == 0) {
            days = strtoll(argv[i + 1], NULL, 0);
        } else {
            break;
        }
    }
    if (i < argc || days < 1 || days > 1000) {
        fprintf(stderr, "usage: fleet_sim [--seed N] [--days N]\n");
        return 2;
    }
    static struct fleet_life life;
    const struct fleet_terms terms = good_terms(seed, days);
    if (!fleet_run(&terms, fleet_kind_count, &life)) {
        fprintf(stderr, "fleet_sim: out of memory\n");
        return 1;
    }
    print_life(&life);
    unsigned broken = judge(&life);
    broken += expect_noticed(seed);
    return broken == 0 ? 0 : 1;
}
