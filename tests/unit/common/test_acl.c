/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules of allow and deny: the longest prefix decides, and what nobody decided is decided by
 * whether there is an `allow`.
 */
#include "common/net/acl.h"

#include <criterion/criterion.h>
#include <string.h>

enum { LINES_MAX = 8, QUESTIONS_MAX = 12 };

static struct acl_rules rules;
static struct acl acl;

/* "allow", "deny 10.0.0.0/8", "allow all 10.0.0.0/8" */
static void add_line(struct acl_rules *to, const char *line)
{
    bool allow = strncmp(line, "allow", 5) == 0;
    const char *rest = line + (allow ? 5 : 4);
    bool all = strncmp(rest, " all", 4) == 0;
    rest += all ? 4 : 0;
    struct net_prefix prefix;
    bool everyone = *rest == '\0';
    if (!everyone) {
        cr_assert_eq(net_prefix_parse(rest + 1, &prefix), NTS_OK, "%s", line);
    }
    enum nts_err err = all ? acl_override(to, everyone ? NULL : &prefix, allow)
                           : acl_add(to, everyone ? NULL : &prefix, allow);
    cr_assert_eq(err, NTS_OK, "%s", line);
}

static bool is_allowed(const struct acl *by, const char *text)
{
    struct net_addr addr;
    cr_assert_eq(net_addr_parse(text, 123, &addr), NTS_OK, "%s", text);
    return acl_allows(by, &addr);
}

struct acl_case {
    const char *lines[LINES_MAX];
    const char *allowed[QUESTIONS_MAX];
    const char *denied[QUESTIONS_MAX];
};

static const struct acl_case cases[] = {
    /* nothing said: everyone */
    {.allowed = {"0.0.0.0", "192.0.2.1", "255.255.255.255", "::", "2001:db8::1",
                 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::ffff:192.0.2.1"}},
    /* only `deny`: everyone else */
    {.lines = {"deny 192.0.2.0/24"},
     .allowed = {"192.0.1.255", "192.0.3.0", "0.0.0.0", "255.255.255.255", "::", "2001:db8::1",
                 "::192.0.2.1"},
     .denied = {"192.0.2.0", "192.0.2.255", "::ffff:192.0.2.7"}},
    /* an `allow`: nobody else, of no family */
    {.lines = {"allow 192.0.2.0/24"},
     .allowed = {"192.0.2.0", "192.0.2.255", "::ffff:192.0.2.7"},
     .denied = {"192.0.1.255", "192.0.3.0", "0.0.0.0", "255.255.255.255", "::", "2001:db8::1",
                "::192.0.2.1"}},
    {.lines = {"allow 2001:db8::/32"},
     .allowed = {"2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"},
     .denied = {"2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::", "192.0.2.1", "::"}},
    {.lines = {"allow"},
     .allowed = {"0.0.0.0", "255.255.255.255", "::", "2001:db8::1", "::ffff:192.0.2.1"}},
    {.lines = {"deny"},
     .denied = {"0.0.0.0", "255.255.255.255", "::", "2001:db8::1", "::ffff:192.0.2.1"}},
    {.lines = {"allow", "deny 192.0.2.0/24"},
     .allowed = {"192.0.1.255", "192.0.3.0", "2001:db8::1"},
     .denied = {"192.0.2.0", "192.0.2.255"}},
    /* chrony's own example, in its order and in another */
    {.lines = {"allow 1.2.3.4", "deny 1.2.3.0/24", "allow 1.2.0.0/16"},
     .allowed = {"1.2.3.4", "1.2.2.255", "1.2.4.0", "1.2.0.0", "1.2.255.255"},
     .denied = {"1.2.3.3", "1.2.3.5", "1.2.3.0", "1.2.3.255", "1.1.255.255", "1.3.0.0"}},
    {.lines = {"allow 1.2.0.0/16", "allow 1.2.3.4", "deny 1.2.3.0/24"},
     .allowed = {"1.2.3.4", "1.2.2.255", "1.2.4.0"},
     .denied = {"1.2.3.3", "1.2.3.5", "1.1.255.255", "1.3.0.0"}},
    /* and its other one: `all` forgets what was said about parts */
    {.lines = {"allow 1.2.3.4", "deny 1.2.3.0/24", "allow all 1.2.0.0/16"},
     .allowed = {"1.2.3.4", "1.2.3.3", "1.2.3.255", "1.2.0.0"},
     .denied = {"1.1.255.255", "1.3.0.0"}},
    {.lines = {"allow 1.2.3.4", "deny all", "allow 2001:db8::/32"},
     .allowed = {"2001:db8::1"},
     .denied = {"1.2.3.4", "::"}},
    {.lines = {"deny 1.2.3.4", "allow all"}, .allowed = {"1.2.3.4", "::"}},
    /* there was an `allow`, though it counts no more */
    {.lines = {"allow 10.0.0.0/8", "deny all 10.0.0.0/8"}, .denied = {"10.0.0.1", "192.0.2.1"}},
    /* `all` leaves what is around alone */
    {.lines = {"deny 10.0.0.0/8", "allow all 10.1.0.0/16"},
     .allowed = {"10.1.2.3"},
     .denied = {"10.0.0.1", "10.2.0.0", "192.0.2.1"}},
    /* of two for the same prefix the last one counts */
    {.lines = {"allow 192.0.2.0/24", "deny 192.0.2.0/24"}, .denied = {"192.0.2.1", "192.0.3.1"}},
    {.lines = {"deny 192.0.2.0/24", "allow 192.0.2.0/24"},
     .allowed = {"192.0.2.1"},
     .denied = {"192.0.3.1"}},
    {.lines = {"deny 192.0.2.7/24", "allow 192.0.2.9/24"}, .allowed = {"192.0.2.1"}},
    {.lines = {"deny 192.0.2.0/24", "allow ::ffff:192.0.2.0/120"}, .allowed = {"192.0.2.1"}},
    {.lines = {"allow", "deny"}, .denied = {"192.0.2.1", "::"}},
    {.lines = {"deny", "allow"}, .allowed = {"192.0.2.1", "::"}},
    /* families are apart */
    {.lines = {"allow", "deny ::/0"},
     .allowed = {"192.0.2.1", "::ffff:192.0.2.1"},
     .denied = {"::", "::1", "2001:db8::1"}},
    {.lines = {"allow", "deny 0.0.0.0/0"},
     .allowed = {"::", "::1", "2001:db8::1"},
     .denied = {"192.0.2.1", "::ffff:192.0.2.1"}},
    {.lines = {"deny ::ffff:0:0/95"},
     .allowed = {"192.0.2.1", "::ffff:192.0.2.1"},
     .denied = {"::fffe:1:1"}},
    /* the ends of the world, neighbours, and rules that begin or end together */
    {.lines = {"allow", "deny 255.255.255.255", "deny 0.0.0.0",
               "deny ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "deny ::"},
     .allowed = {"255.255.255.254", "0.0.0.1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", "::1"},
     .denied = {"255.255.255.255", "0.0.0.0", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::"}},
    {.lines = {"deny 128.0.0.0/1", "allow 192.0.0.0/2", "deny 255.0.0.0/8"},
     .allowed = {"192.0.0.0", "254.255.255.255"},
     .denied = {"128.0.0.0", "191.255.255.255", "255.0.0.0", "255.255.255.255", "127.255.255.255"}},
    {.lines = {"deny 192.0.2.0/25", "deny 192.0.2.128/25", "allow 192.0.2.127",
               "allow 192.0.2.128"},
     .allowed = {"192.0.2.127", "192.0.2.128"},
     .denied = {"192.0.2.126", "192.0.2.129", "192.0.1.255", "192.0.3.0"}},
    {.lines = {"allow 10.0.0.0/8", "deny 10.0.0.0/16", "allow 10.0.0.0/24", "deny 10.0.0.0/32"},
     .allowed = {"10.0.0.1", "10.0.0.255", "10.1.0.0", "10.255.255.255"},
     .denied = {"10.0.0.0", "10.0.1.0", "10.0.255.255", "11.0.0.0", "9.255.255.255"}},
    /* an end that carries over the half of an address */
    {.lines = {"deny 2001:db8::/64", "deny 2001:db8:0:0:ffff:ffff:ffff:ffff"},
     .allowed = {"2001:db8:0:1::", "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff"},
     .denied = {"2001:db8::", "2001:db8:0:0:ffff:ffff:ffff:ffff"}},
    {.lines = {"allow fe80::/10"}, .allowed = {"fe80::1%1", "fe80::1"}, .denied = {"fec0::1"}},
};

static void check(const struct acl_case *c, size_t number)
{
    for (size_t q = 0; q < QUESTIONS_MAX && c->allowed[q] != NULL; q++) {
        cr_assert(is_allowed(&acl, c->allowed[q]), "case %zu: %s", number, c->allowed[q]);
    }
    for (size_t q = 0; q < QUESTIONS_MAX && c->denied[q] != NULL; q++) {
        cr_assert_not(is_allowed(&acl, c->denied[q]), "case %zu: %s", number, c->denied[q]);
    }
}

Test(acl, decides)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        memset(&rules, 0, sizeof(rules));
        for (size_t l = 0; l < LINES_MAX && cases[i].lines[l] != NULL; l++) {
            add_line(&rules, cases[i].lines[l]);
        }
        acl_seal(&rules, &acl);
        check(&cases[i], i);
    }
}

Test(acl, what_was_never_sealed_allows_nobody)
{
    memset(&acl, 0, sizeof(acl));
    cr_assert_not(is_allowed(&acl, "192.0.2.1"));
    cr_assert_not(is_allowed(&acl, "2001:db8::1"));
}

Test(acl, other_families_are_denied)
{
    struct net_addr addr = net_addr_any(AF_UNSPEC, 0);
    acl_seal(&rules, &acl);
    cr_assert_not(acl_allows(&acl, &addr));
    addr.sa.sa_family = AF_UNIX;
    cr_assert_not(acl_allows(&acl, &addr));
}

static uint64_t random_state;

static uint64_t next_random(void)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    uint64_t x = random_state;
    return (x ^ x >> 29) * UINT64_C(0x9e3779b97f4a7c15) >> 13;
}

/* An address of few bits that differ, so that prefixes nest and touch. */
static struct net_addr random_address(void)
{
    struct net_addr addr = net_addr_any(next_random() % 2 == 0 ? AF_INET : AF_INET6, 0);
    bool v6 = addr.sa.sa_family == AF_INET6;
    uint8_t *octets = v6 ? addr.v6.sin6_addr.s6_addr : (uint8_t *)&addr.v4.sin_addr;
    size_t n = v6 ? 16 : 4;
    static const uint8_t few[] = {0x00, 0xff, 0x80, 0x7f, 0x01, 0xfe};
    for (size_t i = 0; i < n; i++) {
        octets[i] = few[next_random() % (i % 4 == 0 ? 6 : 2)];
    }
    return addr;
}

static struct net_prefix random_prefix(void)
{
    struct net_addr addr = random_address();
    struct net_prefix prefix;
    cr_assert_eq(net_prefix_of(&addr, (unsigned)(next_random() % 33),
                               (unsigned)(next_random() % 129), &prefix),
                 NTS_OK);
    return prefix;
}

/* What the header says, word by word. */
struct naive {
    size_t count;
    bool any_allow;
    struct acl_rule rule[ACL_RULES_MAX];
};

static bool naive_allows(const struct naive *naive, const struct net_addr *addr)
{
    struct net_prefix whole;
    cr_assert_eq(net_prefix_of(addr, 32, 128, &whole), NTS_OK);
    bool allow = !naive->any_allow;
    int longest = -1;
    for (size_t i = 0; i < naive->count; i++) {
        const struct acl_rule *rule = &naive->rule[i];
        if (net_prefix_holds(&rule->prefix, &whole) && (int)rule->prefix.bits >= longest) {
            longest = rule->prefix.bits; /* at the same length the later one */
            allow = rule->allow;
        }
    }
    return allow;
}

static void naive_override(struct naive *naive, const struct net_prefix *prefix)
{
    size_t kept = 0;
    for (size_t i = 0; i < naive->count; i++) {
        if (!net_prefix_holds(prefix, &naive->rule[i].prefix)) {
            naive->rule[kept++] = naive->rule[i];
        }
    }
    naive->count = kept;
}

static void add_random_rule(struct naive *naive)
{
    struct net_prefix prefix = random_prefix();
    bool allow = next_random() % 2 == 0;
    bool all = next_random() % 64 == 0;
    if (all) {
        naive_override(naive, &prefix);
    }
    naive->rule[naive->count++] = (struct acl_rule){.prefix = prefix, .allow = allow};
    naive->any_allow = naive->any_allow || allow;
    enum nts_err err = all ? acl_override(&rules, &prefix, allow) : acl_add(&rules, &prefix, allow);
    cr_assert_eq(err, NTS_OK);
}

/* Agrees with the definition about random addresses and about the ends of every rule. */
Test(acl, agrees_with_its_definition)
{
    static struct naive naive;
    random_state = 5;
    for (int round = 0; round < 60; round++) {
        memset(&naive, 0, sizeof(naive));
        memset(&rules, 0, sizeof(rules));
        size_t wanted = next_random() % 100;
        for (size_t i = 0; i < wanted; i++) {
            add_random_rule(&naive);
        }
        acl_seal(&rules, &acl);
        for (int q = 0; q < 1000; q++) {
            struct net_addr addr = random_address();
            cr_assert_eq(acl_allows(&acl, &addr), naive_allows(&naive, &addr), "round %d", round);
        }
    }
}

static struct net_prefix host(uint32_t address)
{
    return (struct net_prefix){.high = (uint64_t)address << 32, .bits = 32};
}

/* Every other address: each rule has both its ends for itself. */
Test(acl, is_full_at_some_point)
{
    struct net_prefix prefix;
    memset(&rules, 0, sizeof(rules));
    for (uint32_t i = 0; i < ACL_RULES_MAX - 1; i++) {
        prefix = host(0x0a000001 + 2 * i);
        cr_assert_eq(acl_add(&rules, &prefix, true), NTS_OK);
    }
    cr_assert_eq(acl_add(&rules, NULL, false), NTS_ELIMIT, "everyone is two rules");
    cr_assert_eq(rules.count, ACL_RULES_MAX - 1);
    prefix = host(0x0b000000);
    cr_assert_eq(acl_add(&rules, &prefix, false), NTS_OK);
    cr_assert_eq(rules.count, ACL_RULES_MAX);
    prefix = host(0x0c000000);
    cr_assert_eq(acl_add(&rules, &prefix, true), NTS_ELIMIT);
    cr_assert_eq(acl_override(&rules, &prefix, true), NTS_ELIMIT);
    cr_assert_eq(rules.count, ACL_RULES_MAX);
    prefix = host(0x0b000000); /* one that is there may still be changed */
    cr_assert_eq(acl_add(&rules, &prefix, true), NTS_OK);

    acl_seal(&rules, &acl);
    cr_assert_eq(acl.v4_count, 2 * ACL_RULES_MAX + 1);
    cr_assert(is_allowed(&acl, "10.0.0.1"));
    cr_assert_not(is_allowed(&acl, "10.0.0.2"));
    cr_assert(is_allowed(&acl, "10.0.0.3"));
    cr_assert(is_allowed(&acl, "11.0.0.0"));
    cr_assert_not(is_allowed(&acl, "::"));

    prefix = (struct net_prefix){.high = UINT64_C(0x0a) << 56, .bits = 8};
    cr_assert_eq(acl_override(&rules, &prefix, false), NTS_OK);
    cr_assert_eq(rules.count, 2);
}

/* As deep as rules can lie in one another, and with alternating verdicts. */
Test(acl, nests_as_deep_as_addresses_are_long)
{
    memset(&rules, 0, sizeof(rules));
    for (unsigned bits = 0; bits <= 128; bits++) {
        struct net_addr addr;
        struct net_prefix prefix;
        cr_assert_eq(net_addr_parse("2001:db8::1", 0, &addr), NTS_OK);
        cr_assert_eq(net_prefix_of(&addr, 32, bits, &prefix), NTS_OK);
        cr_assert_eq(acl_add(&rules, &prefix, bits % 2 == 0), NTS_OK);
    }
    acl_seal(&rules, &acl);
    cr_assert(is_allowed(&acl, "2001:db8::1"), "128 bits");
    cr_assert_not(is_allowed(&acl, "2001:db8::"), "127 bits");
    cr_assert(is_allowed(&acl, "2001:db8::3"), "126 bits");
    cr_assert_not(is_allowed(&acl, "2001:db8::5"), "125 bits");
    cr_assert(is_allowed(&acl, "8000::"), "0 bits");
}

/* Proxies that are believed: those and nobody else, and with none named nobody at all. */
Test(acl, a_list_of_the_trusted)
{
    memset(&rules, 0, sizeof(rules));
    add_line(&rules, "deny");
    acl_seal(&rules, &acl);
    cr_assert_not(is_allowed(&acl, "10.0.0.1"));
    add_line(&rules, "allow 10.0.0.0/8");
    acl_seal(&rules, &acl);
    cr_assert(is_allowed(&acl, "10.0.0.1"));
    cr_assert_not(is_allowed(&acl, "11.0.0.1"));
    cr_assert_not(is_allowed(&acl, "::1"));
}
