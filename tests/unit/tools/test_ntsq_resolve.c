/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names to addresses, as far as no name server is needed.
 */
#include "tools/ntsq_resolve.h"

#include <criterion/criterion.h>

Test(ntsq_resolve, addresses_are_their_own)
{
    static const struct {
        const char *host;
        int family;
        const char *addr; /* NULL: none */
    } cases[] = {
        {"192.0.2.1", AF_UNSPEC, "192.0.2.1:123"},
        {"192.0.2.1", AF_INET, "192.0.2.1:123"},
        {"192.0.2.1", AF_INET6, NULL},
        {"2001:db8::1", AF_UNSPEC, "[2001:db8::1]:123"},
        {"2001:db8::1", AF_INET6, "[2001:db8::1]:123"},
        {"2001:db8::1", AF_INET, NULL},
        {"fe80::1%1", AF_UNSPEC, "[fe80::1%1]:123"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ntsq_addrs addrs;
        const char *why = NULL;
        char text[NET_ADDR_TEXT_MAX];
        enum nts_err err = ntsq_resolve(cases[i].host, cases[i].family, 123, &addrs, &why);
        if (cases[i].addr == NULL) {
            cr_expect_eq(err, NTS_ENOTFOUND, "case %zu", i);
            cr_expect_not_null(why, "case %zu", i);
            continue;
        }
        cr_assert_eq(err, NTS_OK, "case %zu", i);
        cr_assert_eq(addrs.count, 1, "case %zu: each address once", i);
        net_addr_format(&addrs.addr[0], text);
        cr_expect_str_eq(text, cases[i].addr);
    }
}

Test(ntsq_resolve, this_host)
{
    struct ntsq_addrs addrs;
    const char *why;
    cr_assert_eq(ntsq_resolve("localhost", AF_INET, 65535, &addrs, &why), NTS_OK);
    cr_expect_eq(ntohl(addrs.addr[0].v4.sin_addr.s_addr), INADDR_LOOPBACK);
    cr_expect_eq(net_addr_port(&addrs.addr[0]), 65535);
}
