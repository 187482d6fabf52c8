/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: rules of allow and deny, and what they mean for addresses. A rule is an octet of
 * flags, one for the length of the prefix and an address; after the rules come addresses. For each
 * of these, and for the ends of each rule and their neighbours, the sealed list says what going
 * through all rules says.
 */
#include "common/base/cursor.h"
#include "common/net/acl.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

enum {
    FLAG_V6 = 1,
    FLAG_ALLOW = 2,
    FLAG_ALL = 4,
    FLAG_EVERYONE = 8,
    FLAG_ADDRESS = 16, /* no rule but an address to ask for */
    SAID_MAX = 2048,
    ASKED_MAX = 64,
    WORK_MAX = 200,
};

/* What was said, in the order in which it was. */
struct said {
    size_t count;
    bool any_allow;
    struct acl_rule rule[SAID_MAX];
};

static struct acl_rules rules;
static struct acl acl;
static struct said said;

static struct net_addr read_address(struct rd *r, bool v6)
{
    struct net_addr addr = net_addr_any(v6 ? AF_INET6 : AF_INET, 0);
    struct span octets = rd_span(r, v6 ? 16 : 4);
    if (octets.n > 0) {
        memcpy(v6 ? addr.v6.sin6_addr.s6_addr : (uint8_t *)&addr.v4.sin_addr, octets.p, octets.n);
    }
    return addr;
}

static void forget_within(const struct net_prefix *outer)
{
    size_t kept = 0;
    for (size_t i = 0; i < said.count; i++) {
        if (!net_prefix_holds(outer, &said.rule[i].prefix)) {
            said.rule[kept++] = said.rule[i];
        }
    }
    said.count = kept;
}

static void say(const struct net_prefix *prefix, bool allow, bool all)
{
    if (all) {
        forget_within(prefix);
    }
    CHECK(said.count < SAID_MAX);
    said.rule[said.count++] = (struct acl_rule){.prefix = *prefix, .allow = allow};
}

static void add(uint8_t flags, const struct net_prefix *prefix)
{
    const struct net_prefix everyone[] = {{.v6 = false}, {.v6 = true}};
    bool allow = (flags & FLAG_ALLOW) != 0;
    bool all = (flags & FLAG_ALL) != 0;
    bool is_everyone = (flags & FLAG_EVERYONE) != 0;
    const struct net_prefix *arg = is_everyone ? NULL : prefix;
    size_t before = rules.count;
    enum nts_err err = all ? acl_override(&rules, arg, allow) : acl_add(&rules, arg, allow);
    if (err != NTS_OK) {
        CHECK(err == NTS_ELIMIT && rules.count == before && before >= ACL_RULES_MAX - 1);
        return;
    }
    said.any_allow = said.any_allow || allow;
    for (size_t i = 0; i < 2 && is_everyone; i++) {
        say(&everyone[i], allow, all);
    }
    if (!is_everyone) {
        say(prefix, allow, all);
    }
}

static bool expected(const struct net_addr *addr)
{
    struct net_prefix whole;
    CHECK(net_prefix_of(addr, 32, 128, &whole) == NTS_OK);
    bool allow = !said.any_allow;
    int longest = -1;
    for (size_t i = 0; i < said.count; i++) {
        const struct acl_rule *rule = &said.rule[i];
        if (net_prefix_holds(&rule->prefix, &whole) && (int)rule->prefix.bits >= longest) {
            longest = rule->prefix.bits;
            allow = rule->allow;
        }
    }
    return allow;
}

static void check_address(const struct net_addr *addr)
{
    CHECK(acl_allows(&acl, addr) == expected(addr));
}

static struct net_addr address_of(const struct net_prefix *prefix)
{
    struct net_addr addr = net_addr_any(prefix->v6 ? AF_INET6 : AF_INET, 0);
    for (int i = 0; i < 8; i++) {
        addr.v6.sin6_addr.s6_addr[i] = (uint8_t)(prefix->high >> (56 - 8 * i));
        addr.v6.sin6_addr.s6_addr[8 + i] = (uint8_t)(prefix->low >> (56 - 8 * i));
    }
    if (!prefix->v6) {
        addr = net_addr_any(AF_INET, 0);
        addr.v4.sin_addr.s_addr = htonl((uint32_t)(prefix->high >> 32));
    }
    return addr;
}

/* First and last address of a rule, and those before and after, as far as they are in its family.
 * By bits, one after the other: not as acl.c does it. */
static void check_ends(const struct net_prefix *prefix)
{
    struct net_addr first = address_of(prefix);
    struct net_addr last = first;
    struct net_addr inside = first;
    uint8_t *octets = prefix->v6 ? last.v6.sin6_addr.s6_addr : (uint8_t *)&last.v4.sin_addr;
    uint8_t *flip = prefix->v6 ? inside.v6.sin6_addr.s6_addr : (uint8_t *)&inside.v4.sin_addr;
    unsigned whole = prefix->v6 ? 128 : 32;
    for (unsigned bit = prefix->bits; bit < whole; bit++) {
        octets[bit / 8] |= (uint8_t)(0x80U >> bit % 8);
    }
    check_address(&first);
    check_address(&last);
    for (unsigned bit = 0; bit < whole; bit++) { /* every address that differs in one bit */
        flip[bit / 8] ^= (uint8_t)(0x80U >> bit % 8);
        check_address(&inside);
        flip[bit / 8] ^= (uint8_t)(0x80U >> bit % 8);
        octets[bit / 8] ^= (uint8_t)(0x80U >> bit % 8);
        check_address(&last);
        octets[bit / 8] ^= (uint8_t)(0x80U >> bit % 8);
    }
}

static void check_shape(void)
{
    CHECK(rules.count <= ACL_RULES_MAX && acl.count <= ACL_RANGES_MAX);
    CHECK(acl.v4_count >= 1 && acl.count > acl.v4_count);
    for (size_t i = 0; i < acl.count; i++) {
        const struct acl_range *range = &acl.range[i];
        bool is_first = i == 0 || i == acl.v4_count;
        CHECK(!is_first || (range->high == 0 && range->low == 0));
        CHECK(is_first || range->high > range[-1].high ||
              (range->high == range[-1].high && range->low > range[-1].low));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd r = rd_init(span_of(data, size));
    struct net_addr asked[ASKED_MAX];
    size_t asked_count = 0;
    memset(&rules, 0, sizeof(rules));
    said.count = 0;
    said.any_allow = false;
    while (!r.bad && r.left > 0 && said.count < SAID_MAX - 2 && asked_count < ASKED_MAX) {
        uint8_t flags = rd_u8(&r);
        bool v6 = (flags & FLAG_V6) != 0;
        unsigned bits = rd_u8(&r);
        struct net_addr addr = read_address(&r, v6);
        struct net_prefix prefix;
        CHECK(net_prefix_of(&addr, bits % 33, bits % 129, &prefix) == NTS_OK);
        if ((flags & FLAG_ADDRESS) != 0) {
            asked[asked_count++] = addr;
        } else {
            add(flags, &prefix);
        }
    }
    acl_seal(&rules, &acl);
    check_shape();
    for (size_t i = 0; i < asked_count; i++) {
        check_address(&asked[i]);
    }
    size_t every = 1 + said.count * said.count / WORK_MAX; /* many rules: not the ends of each */
    for (size_t i = 0; i < said.count; i += every) {
        check_ends(&said.rule[i].prefix);
    }
    return 0;
}
