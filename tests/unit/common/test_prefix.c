/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Networks: what is one, and that IPv4 is IPv4 however it is written.
 */
#include "common/net/prefix.h"

#include <criterion/criterion.h>
#include <string.h>

static struct net_addr addr_of(const char *text)
{
    struct net_addr addr;
    cr_assert_eq(net_addr_parse(text, 4460, &addr), NTS_OK, "%s", text);
    return addr;
}

Test(prefix, networks_are_parsed)
{
    static const struct {
        const char *text;
        struct net_prefix prefix;
    } cases[] = {
        {"192.0.2.1", {.high = 0xc000020100000000, .bits = 32}},
        {"192.0.2.1/32", {.high = 0xc000020100000000, .bits = 32}},
        {"192.0.2.1/24", {.high = 0xc000020000000000, .bits = 24}},
        {"192.0.2.255/31", {.high = 0xc00002fe00000000, .bits = 31}},
        {"255.255.255.255/1", {.high = 0x8000000000000000, .bits = 1}},
        {"192.0.2.1/0", {.bits = 0}},
        {"0.0.0.0/0", {.bits = 0}},
        {"::/0", {.v6 = true}},
        {"2001:db8::1", {.high = 0x20010db800000000, .low = 1, .bits = 128, .v6 = true}},
        {"2001:db8::1/127", {.high = 0x20010db800000000, .bits = 127, .v6 = true}},
        {"2001:db8:ffff::1/33", {.high = 0x20010db880000000, .bits = 33, .v6 = true}},
        {"2001:db8:1:2:3::/64", {.high = 0x20010db800010002, .bits = 64, .v6 = true}},
        {"2001:db8:1:2:8000::/65",
         {.high = 0x20010db800010002, .low = 0x8000000000000000, .bits = 65, .v6 = true}},
        {"2001:db8:1:3::/63", {.high = 0x20010db800010002, .bits = 63, .v6 = true}},
        {"::ffff:192.0.2.1", {.high = 0xc000020100000000, .bits = 32}},
        {"::ffff:192.0.2.1/120", {.high = 0xc000020000000000, .bits = 24}},
        {"::ffff:0:0/96", {.bits = 0}},
        {"::ffff:192.0.2.1/96", {.bits = 0}},
        {"::ffff:0:0/95", {.low = 0xfffe00000000, .bits = 95, .v6 = true}},
        {"::192.0.2.1", {.low = 0xc0000201, .bits = 128, .v6 = true}},
        {"64:ff9b::192.0.2.1/96", {.high = 0x64ff9b00000000, .bits = 96, .v6 = true}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct net_prefix *want = &cases[i].prefix;
        struct net_prefix prefix;
        cr_assert_eq(net_prefix_parse(cases[i].text, &prefix), NTS_OK, "%s", cases[i].text);
        cr_assert_eq(prefix.v6, want->v6, "%s", cases[i].text);
        cr_assert_eq(prefix.bits, want->bits, "%s", cases[i].text);
        cr_assert_eq(prefix.high, want->high, "%s", cases[i].text);
        cr_assert_eq(prefix.low, want->low, "%s", cases[i].text);
    }
}

Test(prefix, what_is_none_is_refused)
{
    static const char *const cases[] = {
        "",
        "/",
        "/24",
        "192.0.2.1/",
        "192.0.2.1/33",
        "192.0.2.1/-1",
        "192.0.2.1/+1",
        "192.0.2.1/ 24",
        "192.0.2.1/24 ",
        "192.0.2.1/24/24",
        "192.0.2.1/0x8",
        "192.0.2.1/255.255.255.0",
        "192.0.2.1/4294967304",
        "192.0.2.1:123",
        "192.0.2",
        "10/8",
        "2001:db8::/129",
        "2001:db8::/1000",
        "[2001:db8::]/32",
        "[2001:db8::1]",
        "fe80::1%1",
        "fe80::%1/64",
        "localhost",
        "all",
        "0000000000000000000000000000000000000000000000000000000000000000/1",
    };
    struct net_prefix untouched;
    memset(&untouched, 0x5a, sizeof(untouched));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct net_prefix prefix = untouched;
        cr_assert_eq(net_prefix_parse(cases[i], &prefix), NTS_EFORMAT, "%s", cases[i]);
        cr_assert_eq(memcmp(&prefix, &untouched, sizeof(prefix)), 0, "%s", cases[i]);
    }
}

Test(prefix, an_address_is_cut_to_its_network)
{
    static const struct {
        const char *address;
        unsigned v4_bits;
        unsigned v6_bits;
        const char *network;
    } cases[] = {
        {"192.0.2.77", 32, 128, "192.0.2.77/32"},
        {"192.0.2.77", 24, 128, "192.0.2.0/24"},
        {"192.0.2.77", 0, 128, "0.0.0.0/0"},
        {"2001:db8:1:2:3:4:5:6", 32, 128, "2001:db8:1:2:3:4:5:6/128"},
        {"2001:db8:1:2:3:4:5:6", 32, 64, "2001:db8:1:2::/64"},
        {"2001:db8:1:2:3:4:5:6", 32, 48, "2001:db8:1::/48"},
        {"2001:db8:1:2:3:4:5:6", 32, 0, "::/0"},
        {"::ffff:192.0.2.77", 32, 64, "192.0.2.77/32"},
        {"::ffff:192.0.2.77", 16, 64, "192.0.0.0/16"},
        {"fe80::1%1", 32, 128, "fe80::1/128"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct net_addr addr = addr_of(cases[i].address);
        struct net_prefix got;
        struct net_prefix want;
        cr_assert_eq(net_prefix_parse(cases[i].network, &want), NTS_OK);
        cr_assert_eq(net_prefix_of(&addr, cases[i].v4_bits, cases[i].v6_bits, &got), NTS_OK);
        cr_assert(got.v6 == want.v6 && got.bits == want.bits && got.high == want.high &&
                      got.low == want.low,
                  "%s", cases[i].network);
    }
}

Test(prefix, other_families_have_none)
{
    struct net_addr addr = net_addr_any(AF_UNSPEC, 0);
    struct net_prefix prefix = {.high = 1, .bits = 1, .v6 = true};
    cr_assert_eq(net_prefix_of(&addr, 32, 128, &prefix), NTS_EFORMAT);
    cr_assert(prefix.high == 0 && prefix.low == 0 && prefix.bits == 0 && !prefix.v6);
    addr.sa.sa_family = AF_UNIX;
    cr_assert_eq(net_prefix_of(&addr, 32, 128, &prefix), NTS_EFORMAT);
}

Test(prefix, holds)
{
    static const struct {
        const char *outer;
        const char *inner;
        bool holds;
    } cases[] = {
        {"10.0.0.0/8", "10.0.0.0/8", true},
        {"10.0.0.0/8", "10.1.2.3", true},
        {"10.0.0.0/8", "11.0.0.0/8", false},
        {"10.1.0.0/16", "10.0.0.0/8", false},
        {"10.0.0.0/16", "10.0.0.0/8", false},
        {"2001:db8::/33", "2001:db8::/32", false},
        {"0.0.0.0/0", "255.255.255.255", true},
        {"0.0.0.0/0", "::", false},
        {"::/0", "0.0.0.0/0", false},
        {"::/0", "ffff::/16", true},
        {"2001:db8::/64", "2001:db8::8000:0:0:0/65", true},
        {"2001:db8::8000:0:0:0/65", "2001:db8::1", false},
        {"2001:db8::8000:0:0:0/65", "2001:db8::8000:0:0:1", true},
        {"2001:db8::1", "2001:db8::1", true},
        {"2001:db8::1", "2001:db8::2", false},
        {"192.0.2.0/24", "::ffff:192.0.2.1", true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct net_prefix outer;
        struct net_prefix inner;
        cr_assert_eq(net_prefix_parse(cases[i].outer, &outer), NTS_OK);
        cr_assert_eq(net_prefix_parse(cases[i].inner, &inner), NTS_OK);
        cr_assert_eq(net_prefix_holds(&outer, &inner), cases[i].holds, "%s in %s", cases[i].inner,
                     cases[i].outer);
    }
}
