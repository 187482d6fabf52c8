/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client's cookies: each once, in order, kept at eight.
 */
#include "tools/ntsq_stock.h"

#include <criterion/criterion.h>
#include <string.h>

static void put(struct ntsq_stock *stock, uint8_t mark, size_t len)
{
    uint8_t bytes[KE_CLIENT_COOKIE_MAX + 1];
    memset(bytes, mark, sizeof(bytes));
    ntsq_stock_put(stock, span_of(bytes, len));
}

Test(ntsq_stock, gives_each_cookie_once_oldest_first)
{
    struct ntsq_stock stock = {.count = 0};
    struct ke_client_cookie cookie;
    for (uint8_t i = 0; i < 10; i++) {
        put(&stock, i, 100);
    }
    cr_assert_eq(stock.count, KE_COOKIES, "what is over eight is dropped");
    for (uint8_t i = 0; i < KE_COOKIES; i++) {
        cr_assert(ntsq_stock_take(&stock, &cookie));
        cr_expect_eq(cookie.bytes[0], i);
        cr_expect_eq(cookie.len, 100);
    }
    cr_expect_not(ntsq_stock_take(&stock, &cookie));
}

Test(ntsq_stock, asks_for_what_is_missing)
{
    struct ntsq_stock stock = {.count = 0};
    struct ke_client_cookie cookie;
    for (size_t had = 1; had <= KE_COOKIES; had++) {
        stock.count = 0;
        for (size_t i = 0; i < had; i++) {
            put(&stock, 1, 100);
        }
        cr_assert(ntsq_stock_take(&stock, &cookie));
        size_t brings = 1 + ntsq_stock_placeholders(&stock);
        cr_expect_eq(stock.count + brings, KE_COOKIES, "had %zu", had);
    }
    stock.count = KE_COOKIES;
    cr_expect_eq(ntsq_stock_placeholders(&stock), 0);
}

Test(ntsq_stock, drops_what_it_cannot_keep)
{
    struct ntsq_stock stock = {.count = 0};
    put(&stock, 1, 0);
    put(&stock, 1, KE_CLIENT_COOKIE_MAX + 1);
    cr_expect_eq(stock.count, 0);
    put(&stock, 1, KE_CLIENT_COOKIE_MAX);
    cr_expect_eq(stock.count, 1);
}

Test(ntsq_stock, new_keys_replace_the_old_cookies)
{
    struct ntsq_stock stock = {.count = 0};
    struct ke_client_cookie fresh[2] = {{.len = 68, .bytes = {7}}, {.len = 68, .bytes = {8}}};
    struct ke_client_cookie cookie;
    put(&stock, 1, 100);
    ntsq_stock_fill(&stock, fresh, 2);
    cr_assert_eq(stock.count, 2);
    cr_assert(ntsq_stock_take(&stock, &cookie));
    cr_expect_eq(cookie.len, 68);
    cr_expect_eq(cookie.bytes[0], 7);
}
