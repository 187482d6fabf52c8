/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Socket addresses: what is one, what is none, and that what is printed can be parsed.
 */
#include "common/net/addr.h"

#include <criterion/criterion.h>
#include <string.h>

static struct net_addr untouched(void)
{
    struct net_addr addr;
    memset(&addr, 0x5a, sizeof(addr));
    return addr;
}

static bool is_untouched(const struct net_addr *addr)
{
    struct net_addr same = untouched();
    return memcmp(addr, &same, sizeof(same)) == 0;
}

Test(addr, addresses_are_parsed_and_printed)
{
    static const struct {
        const char *text;
        int family;
        const char *printed; /* with port 123 */
    } cases[] = {
        {"192.0.2.1", AF_INET, "192.0.2.1:123"},
        {"0.0.0.0", AF_INET, "0.0.0.0:123"},
        {"255.255.255.255", AF_INET, "255.255.255.255:123"},
        {"::", AF_INET6, "[::]:123"},
        {"::1", AF_INET6, "[::1]:123"},
        {"[::1]", AF_INET6, "[::1]:123"},
        {"2001:DB8:0:0:0:0:0:1", AF_INET6, "[2001:db8::1]:123"},
        {"::ffff:192.0.2.1", AF_INET6, "[::ffff:192.0.2.1]:123"},
        {"fe80::1%1", AF_INET6, "[fe80::1%1]:123"},
        {"fe80::1%lo", AF_INET6, "[fe80::1%1]:123"},
        {"[fe80::1%lo]", AF_INET6, "[fe80::1%1]:123"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295", AF_INET6,
         "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295]:123"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct net_addr addr = untouched();
        cr_assert_eq(net_addr_parse(cases[i].text, 123, &addr), NTS_OK, "%s", cases[i].text);
        cr_assert_eq(addr.sa.sa_family, cases[i].family);
        cr_assert_eq(net_addr_port(&addr), 123);
        char text[NET_ADDR_TEXT_MAX];
        net_addr_format(&addr, text);
        cr_assert_str_eq(text, cases[i].printed);

        struct net_addr again = untouched();
        cr_assert_eq(net_addr_port_parse(text, &again), NTS_OK, "%s", text);
        cr_assert_eq(memcmp(&addr, &again, sizeof(addr)), 0, "%s", text);
    }
}

Test(addr, what_is_no_address_is_refused)
{
    static const char *const cases[] = {
        "",
        " ",
        "localhost",
        "time.example",
        "192.0.2",
        "192.0.2.256",
        "192.0.2.1.1",
        "192.0.2.1 ",
        " 192.0.2.1",
        "192.0.2.1:123",
        "0x7f.0.0.1",
        "127.1",
        "[192.0.2.1]",
        "192.0.2.1%1",
        "[",
        "]",
        "[]",
        "[::1",
        "::1]",
        "[[::1]]",
        "[::1]:123",
        ":::",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "::12345",
        "fe80::1%",
        "fe80::1%0",
        "fe80::1%4294967296",
        "fe80::1%-1",
        "fe80::1%no-such-interface",
        "fe80::1%lo%lo",
        "%lo",
        "::1/64",
        "::ffff:192.0.2.256",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct net_addr addr = untouched();
        cr_assert_eq(net_addr_parse(cases[i], 1, &addr), NTS_EFORMAT, "'%s'", cases[i]);
        cr_assert(is_untouched(&addr), "'%s'", cases[i]);
    }
    char long_text[1000];
    memset(long_text, '1', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';
    struct net_addr addr = untouched();
    cr_assert_eq(net_addr_parse(long_text, 1, &addr), NTS_EFORMAT);
    memcpy(long_text, "fe80::1%", 8);
    cr_assert_eq(net_addr_parse(long_text, 1, &addr), NTS_EFORMAT);
    cr_assert(is_untouched(&addr));
}

Test(addr, ports_are_decimal_and_fit)
{
    static const struct {
        const char *text;
        int port; /* -1: refused */
    } cases[] = {
        {"192.0.2.1:0", 0},
        {"192.0.2.1:1", 1},
        {"192.0.2.1:65535", 65535},
        {"[::1]:4460", 4460},
        {"[::1]:00123", 123},
        {"192.0.2.1:65536", -1},
        {"192.0.2.1:99999", -1},
        {"192.0.2.1:000123", -1},
        {"192.0.2.1:", -1},
        {"192.0.2.1", -1},
        {"192.0.2.1:+1", -1},
        {"192.0.2.1:-1", -1},
        {"192.0.2.1: 1", -1},
        {"192.0.2.1:1 ", -1},
        {"192.0.2.1:0x1", -1},
        {":123", -1},
        {"[::1]", -1},
        {"::1:123", -1},
        {"[::1]:", -1},
        {"[::1]123", -1},
        {"[::1]::123", -1},
        {"[192.0.2.1]:123", -1},
        {"", -1},
        {":", -1},
        {"host:123", -1},
        {"192.0.2.1:99999999999999999999", -1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct net_addr addr = untouched();
        enum nts_err want = cases[i].port < 0 ? NTS_EFORMAT : NTS_OK;
        cr_assert_eq(net_addr_port_parse(cases[i].text, &addr), want, "'%s'", cases[i].text);
        if (want == NTS_OK) {
            cr_assert_eq(net_addr_port(&addr), cases[i].port, "'%s'", cases[i].text);
        } else {
            cr_assert(is_untouched(&addr), "'%s'", cases[i].text);
        }
    }
}

Test(addr, wildcards_and_other_families)
{
    char text[NET_ADDR_TEXT_MAX];
    struct net_addr v4 = net_addr_any(AF_INET, 123);
    net_addr_format(&v4, text);
    cr_assert_str_eq(text, "0.0.0.0:123");
    cr_assert_eq(net_addr_len(&v4), sizeof(struct sockaddr_in));
    struct net_addr v6 = net_addr_any(AF_INET6, 65535);
    net_addr_format(&v6, text);
    cr_assert_str_eq(text, "[::]:65535");
    cr_assert_eq(net_addr_len(&v6), sizeof(struct sockaddr_in6));
    struct net_addr none = net_addr_any(AF_UNIX, 123);
    net_addr_format(&none, text);
    cr_assert_str_eq(text, "?");
    cr_assert_eq(none.sa.sa_family, AF_UNSPEC);
    cr_assert_eq(net_addr_len(&none), 0);
    cr_assert_eq(net_addr_port(&none), 0);
}

Test(addr, the_longest_text_fits)
{
    struct net_addr addr = net_addr_any(AF_INET6, 65535);
    memset(&addr.v6.sin6_addr, 0xff, sizeof(addr.v6.sin6_addr));
    addr.v6.sin6_scope_id = UINT32_MAX;
    char text[NET_ADDR_TEXT_MAX + 1];
    text[NET_ADDR_TEXT_MAX] = 0x5a;
    net_addr_format(&addr, text);
    cr_assert_str_eq(text, "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295]:65535");
    cr_assert_eq(text[NET_ADDR_TEXT_MAX], 0x5a);
}
