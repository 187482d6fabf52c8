/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which peers come from the same place.
 */
#include "nts-ke/ke_origin.h"

#include <criterion/criterion.h>

static const uint8_t key[SIPHASH_KEY_LEN] = {1, 2, 3};

static struct ke_origin origin(const char *text)
{
    struct net_addr addr;
    cr_assert_eq(net_addr_parse(text, 4460, &addr), NTS_OK, "%s", text);
    return ke_origin_of(key, &addr);
}

static const struct {
    const char *a;
    const char *b;
    bool address;
    bool network;
} cases[] = {
    {"192.0.2.1", "192.0.2.1", true, true},
    {"192.0.2.1", "192.0.2.2", false, true},
    {"192.0.2.1", "192.0.3.1", false, false},
    {"192.0.2.1", "::ffff:192.0.2.1", true, true},
    {"192.0.2.1", "::ffff:192.0.2.9", false, true},
    {"2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true, true},
    {"2001:db8:1:2::1", "2001:db8:1:3::1", false, true},
    {"2001:db8:1:2::1", "2001:db8:2:2::1", false, false},
    {"0.0.0.0", "::", false, false},
};

Test(ke_origin, who_is_from_the_same_place)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ke_origin a = origin(cases[i].a);
        struct ke_origin b = origin(cases[i].b);
        cr_expect_eq(a.address == b.address, cases[i].address, "%s %s", cases[i].a, cases[i].b);
        cr_expect_eq(a.network == b.network, cases[i].network, "%s %s", cases[i].a, cases[i].b);
        cr_expect_neq(a.address, a.network);
    }
}

Test(ke_origin, another_key_makes_other_numbers)
{
    static const uint8_t other[SIPHASH_KEY_LEN] = {1, 2, 4};
    struct net_addr addr;
    cr_assert_eq(net_addr_parse("192.0.2.1", 4460, &addr), NTS_OK);
    cr_expect_neq(ke_origin_of(key, &addr).address, ke_origin_of(other, &addr).address);
}

Test(ke_origin, another_family_is_from_nowhere)
{
    const struct net_addr local = {.sa = {.sa_family = AF_UNIX}};
    cr_expect_eq(ke_origin_of(key, &local).address, 0);
}
