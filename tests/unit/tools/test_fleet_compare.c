/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who agrees with whom, and who is blamed when not all do.
 */
#include "tools/fleet_compare.h"

#include "tests/unit/tools/fleet_sample.h"

#include <criterion/criterion.h>

enum { MAX = 6, NOW = 0x010010 };

/* A host as `secret`, clock off by `ahead` periods; secret 0: without keys, 9: not reached. */
struct made {
    uint8_t secret;
    int32_t ahead;
};

static struct fleet_host host_of(struct made made)
{
    struct fleet_host host = sample_host("h", made.secret, (uint32_t)((int32_t)NOW + made.ahead));
    if (made.secret == 0 || made.secret == 9) {
        host.facts.has_keys = false;
        host.facts.held_count = 0;
        host.reached = made.secret == 0;
    }
    return host;
}

#define A FLEET_AGREES
#define S FLEET_OTHER_SECRET
#define H FLEET_NOT_HELD
#define L FLEET_NOT_HOLDING
#define K FLEET_NO_KEYS
#define R FLEET_NOT_REACHED

Test(fleet_compare, who_is_blamed)
{
    static const struct {
        size_t count;
        struct made made[MAX];
        enum fleet_verdict verdict[MAX];
    } cases[] = {
        {1, {{1, 0}}, {A}},
        {3, {{1, 0}, {1, 0}, {1, 0}}, {A, A, A}},
        /* clocks: a period ahead or behind is agreement, as far as each holds what others issue */
        {3, {{1, 0}, {1, 1}, {1, 0}}, {A, A, A}},
        {3, {{1, 0}, {1, -1}, {1, 0}}, {A, A, A}},
        {2, {{1, 1}, {1, -1}}, {H, L}},
        {4, {{1, 0}, {1, 1}, {1, -1}, {1, 0}}, {A, H, L, A}},
        {3, {{1, 0}, {1, 2}, {1, 0}}, {A, H, A}},
        {3, {{1, 0}, {1, -2}, {1, 0}}, {A, L, A}},
        /* another secret: the odd one out; without a majority all are */
        {3, {{1, 0}, {2, 0}, {1, 0}}, {A, S, A}},
        {2, {{1, 0}, {2, 0}}, {S, S}},
        {3, {{1, 0}, {2, 0}, {3, 0}}, {S, S, S}},
        {4, {{1, 0}, {2, 0}, {1, 0}, {2, 0}}, {S, S, S, S}},
        {5, {{1, 0}, {2, 0}, {1, 0}, {2, 0}, {1, 0}}, {A, S, A, S, A}},
        /* ids that do not meet at all */
        {3, {{1, 0}, {2, 100}, {1, 0}}, {A, H, A}},
        /* those that say nothing do not count */
        {3, {{1, 0}, {9, 0}, {1, 0}}, {A, R, A}},
        {3, {{1, 0}, {0, 0}, {1, 0}}, {A, K, A}},
        {4, {{1, 0}, {9, 0}, {2, 0}, {9, 0}}, {S, R, S, R}},
        {2, {{9, 0}, {9, 0}}, {R, R}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fleet_host hosts[MAX];
        bool all = true;
        for (size_t h = 0; h < cases[i].count; h++) {
            hosts[h] = host_of(cases[i].made[h]);
            all = all && cases[i].verdict[h] == FLEET_AGREES;
        }
        cr_expect_eq(fleet_compare(hosts, cases[i].count), all, "case %zu", i);
        for (size_t h = 0; h < cases[i].count; h++) {
            cr_expect_eq(hosts[h].verdict, cases[i].verdict[h], "case %zu host %zu: %s", i, h,
                         fleet_verdict_name(hosts[h].verdict));
        }
    }
}

Test(fleet_compare, says_against_whom)
{
    struct fleet_host hosts[] = {host_of((struct made){1, 0}), host_of((struct made){1, 2}),
                                 host_of((struct made){1, 0}), host_of((struct made){2, 0})};
    cr_expect_not(fleet_compare(hosts, 4));
    cr_expect_eq(hosts[1].verdict, FLEET_NOT_HELD);
    cr_expect_eq(hosts[1].against, 0);
    cr_expect_eq(hosts[1].key, NOW + 2);
    cr_expect_eq(hosts[3].verdict, FLEET_OTHER_SECRET);
    cr_expect_eq(hosts[3].against, 0);
    cr_expect_eq(hosts[0].fits, 1);
    cr_expect_eq(hosts[1].fits, 0);
}

Test(fleet_compare, one_key_of_another_secret_is_enough)
{
    struct fleet_host hosts[] = {host_of((struct made){1, 0}), host_of((struct made){1, 0}),
                                 host_of((struct made){1, 0})};
    hosts[2].facts.held[0].fingerprint[7] ^= 1; /* a past one */
    cr_expect_not(fleet_compare(hosts, 3));
    cr_expect_eq(hosts[0].verdict, FLEET_AGREES);
    cr_expect_eq(hosts[2].verdict, FLEET_OTHER_SECRET);
    cr_expect_eq(hosts[2].key, hosts[2].facts.held[0].id);
}

Test(fleet_compare, a_silent_provider_is_told)
{
    struct fleet_host hosts[] = {host_of((struct made){1, 0}), host_of((struct made){1, 0}),
                                 host_of((struct made){2, 0})};
    hosts[0].facts.provider_age_s = FLEET_STALE_S + 1;
    hosts[2].facts.provider_age_s = -1;
    cr_expect_not(fleet_compare(hosts, 2));
    cr_expect_eq(hosts[0].verdict, FLEET_STALE);
    cr_expect_eq(hosts[1].verdict, FLEET_AGREES);
    cr_expect_not(fleet_compare(hosts, 3));
    cr_expect_eq(hosts[2].verdict, FLEET_OTHER_SECRET, "disagreement is the graver one");
}

/* The order in which hosts are named changes nothing. */
Test(fleet_compare, order_is_of_no_importance)
{
    static const struct made fleet[MAX] = {{1, 0}, {2, 0}, {1, 1}, {9, 0}, {1, -1}, {1, 0}};
    enum fleet_verdict straight[MAX];
    struct fleet_host hosts[MAX];
    for (size_t turn = 0; turn < MAX; turn++) {
        for (size_t h = 0; h < MAX; h++) {
            hosts[h] = host_of(fleet[(h + turn) % MAX]);
        }
        cr_expect_not(fleet_compare(hosts, MAX));
        for (size_t h = 0; h < MAX; h++) {
            size_t of = (h + turn) % MAX;
            straight[of] = turn == 0 ? hosts[h].verdict : straight[of];
            cr_expect_eq(hosts[h].verdict, straight[of], "turn %zu host %zu", turn, of);
        }
    }
}

Test(fleet_compare, names)
{
    for (int i = 0; i < FLEET_VERDICTS; i++) {
        cr_expect_str_neq(fleet_verdict_name((enum fleet_verdict)i), "?");
    }
    cr_expect(fleet_verdict_is_dissent(FLEET_NOT_HELD));
    cr_expect_not(fleet_verdict_is_dissent(FLEET_STALE));
}
