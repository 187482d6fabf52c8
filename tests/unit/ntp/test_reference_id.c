/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of servers in the reference id; the IPv6 one worked out with another program's MD5.
 */
#include "ntp/clock/reference_id.h"

#include <criterion/criterion.h>

Test(reference_id, of_addresses)
{
    static const struct {
        const char *text;
        uint32_t id;
    } cases[] = {
        {"169.254.169.123", 0xa9fea97b},  {"127.0.0.1", 0x7f000001},
        {"::ffff:192.0.2.1", 0xc0000201}, {"::1", 0xcf404dc8},
        {"fd00:ec2::123", 0x9c6f5832},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct net_addr addr;
        cr_assert_eq(net_addr_parse(cases[i].text, 123, &addr), NTS_OK);
        cr_expect_eq(reference_id_of(&addr), cases[i].id, "%s: %08x", cases[i].text,
                     reference_id_of(&addr));
    }
    const struct net_addr none = {.sa = {.sa_family = AF_UNSPEC}};
    cr_expect_eq(reference_id_of(&none), 0);
}
