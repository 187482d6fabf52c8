/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client's cookies. See ntsq_stock.h.
 */
#include "tools/ntsq_stock.h"

#include <string.h>

void ntsq_stock_fill(struct ntsq_stock *stock, const struct ke_client_cookie *cookie, size_t count)
{
    stock->count = 0;
    for (size_t i = 0; i < count; i++) {
        ntsq_stock_put(stock, span_of(cookie[i].bytes, cookie[i].len));
    }
}

bool ntsq_stock_take(struct ntsq_stock *stock, struct ke_client_cookie *cookie)
{
    if (stock->count == 0) {
        return false;
    }
    *cookie = stock->cookie[0];
    stock->count--;
    memmove(&stock->cookie[0], &stock->cookie[1], stock->count * sizeof(stock->cookie[0]));
    return true;
}

void ntsq_stock_put(struct ntsq_stock *stock, struct span cookie)
{
    if (stock->count == KE_COOKIES || cookie.n == 0 || cookie.n > KE_CLIENT_COOKIE_MAX) {
        return;
    }
    struct ke_client_cookie *slot = &stock->cookie[stock->count++];
    slot->len = cookie.n;
    memcpy(slot->bytes, cookie.p, cookie.n);
}

size_t ntsq_stock_placeholders(const struct ntsq_stock *stock)
{
    return stock->count + 1 < KE_COOKIES ? KE_COOKIES - 1 - stock->count : 0;
}
