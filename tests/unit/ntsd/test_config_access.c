/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the directives of access and rates say to the parts that obey them.
 */
#include "tests/unit/ntsd/config_text.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct parsed p;

static const struct config_access *parse(const char *text)
{
    char whole[512];
    (void)snprintf(whole, sizeof(whole), CONFIG_BASE "%s", text);
    cr_assert_eq(parse_text(&p, whole), NTS_OK, "%s", p.faults.fault[0].text);
    return &p.config.access;
}

static bool serves(const struct acl *acl, const char *address)
{
    struct net_addr addr;
    cr_assert_eq(net_addr_parse(address, 123, &addr), NTS_OK);
    return acl_allows(acl, &addr);
}

Test(config_access, nothing_said_is_everyone_without_limit)
{
    const struct config_access *a = parse("");
    cr_expect_not(a->has_acl || a->has_proxies || a->has_ntp_limit || a->has_ke_limit);
    cr_expect_eq(a->ke_address_max, 0);
    cr_expect_eq(p.config.ke_connections_max, 1000);
    cr_expect_eq(p.config.no_sandbox, 0);
}

Test(config_access, the_longest_prefix_decides)
{
    const struct config_access *a = parse("allow 10.0.0.0/8\ndeny 10.1.0.0/16\nallow 10.1.2.3\n");
    cr_expect(a->has_acl);
    cr_expect(serves(&a->acl, "10.9.9.9"));
    cr_expect_not(serves(&a->acl, "10.1.9.9"));
    cr_expect(serves(&a->acl, "10.1.2.3"));
    cr_expect(serves(&a->acl, "::ffff:10.1.2.3"));
    cr_expect_not(serves(&a->acl, "192.0.2.1"), "there is an allow, and he is not in it");
    cr_expect_not(serves(&a->acl, "2001:db8::1"));
}

Test(config_access, deny_alone_leaves_everyone_else)
{
    const struct config_access *a = parse("deny 192.0.2.0/24\n");
    cr_expect_not(serves(&a->acl, "192.0.2.1"));
    cr_expect(serves(&a->acl, "192.0.3.1"));
    cr_expect(serves(&a->acl, "2001:db8::1"));
}

Test(config_access, all_forgets_earlier_rules)
{
    const struct config_access *a = parse("deny 10.1.0.0/16\nallow all 10.0.0.0/8\n");
    cr_expect(serves(&a->acl, "10.1.1.1"));
    a = parse("allow 10.1.0.0/16\ndeny all\n");
    cr_expect_not(serves(&a->acl, "10.1.1.1"));
}

Test(config_access, only_a_named_proxy_is_one)
{
    const struct config_access *a = parse("proxyprotocol 10.0.0.0/24\nproxyprotocol ::1\n");
    cr_expect(a->has_proxies);
    cr_expect(serves(&a->proxies, "10.0.0.7"));
    cr_expect(serves(&a->proxies, "::1"));
    cr_expect_not(serves(&a->proxies, "10.0.1.7"));
    cr_expect_not(a->has_acl);
}

Test(config_access, rates_have_chronys_defaults)
{
    const struct config_access *a = parse("ratelimit\nntsratelimit\n");
    cr_expect_eq(a->ntp_limit.interval, 3);
    cr_expect_eq(a->ntp_limit.burst, 8);
    cr_expect_eq(a->ntp_limit.leak, 2);
    cr_expect_eq(a->ntp_limit.v4_bits, 32);
    cr_expect_eq(a->ntp_limit.v6_bits, 64);
    cr_expect_eq(a->ke_limit.interval, 6);
    cr_expect_eq(a->ke_limit.burst, 8);
    cr_expect_eq(a->ke_limit.leak, 0);
}

Test(config_access, rates_as_they_are_said)
{
    const struct config_access *a = parse("ratelimit ipv6 56 burst 9 ipv4 24 leak 4 interval -2\n"
                                          "ntsratelimit interval 1 burst 3\n"
                                          "maxntsconnections 50 pernetwork 20 peraddress 5\n"
                                          "sandbox no\n");
    cr_expect_eq(a->ntp_limit.interval, -2);
    cr_expect_eq(a->ntp_limit.burst, 9);
    cr_expect_eq(a->ntp_limit.leak, 4);
    cr_expect_eq(a->ntp_limit.v4_bits, 24);
    cr_expect_eq(a->ntp_limit.v6_bits, 56);
    cr_expect_eq(a->ke_limit.interval, 1);
    cr_expect_eq(a->ke_limit.burst, 3);
    cr_expect_eq(p.config.ke_connections_max, 50);
    cr_expect_eq(a->ke_address_max, 5);
    cr_expect_eq(a->ke_network_max, 20);
    cr_expect_eq(p.config.no_sandbox, 1);
}

Test(config_access, too_many_rules_are_told)
{
    static char text[64 + (ACL_RULES_MAX + 1) * 20] = CONFIG_BASE;
    size_t n = strlen(text);
    for (unsigned i = 0; i <= ACL_RULES_MAX; i++) {
        n +=
            (size_t)snprintf(text + n, sizeof(text) - n, "allow 10.%u.%u.0/24\n", i / 256, i % 256);
    }
    cr_expect_eq(parse_text(&p, text), NTS_EFORMAT);
    cr_expect_str_eq(p.faults.fault[0].text, "allow: too many, at most 1024 networks may be given");
}
