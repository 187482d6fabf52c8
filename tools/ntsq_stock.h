/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client's cookies: each is used once, and as many are asked for as are missing from eight
 * (RFC 8915 §5.7). Core; all state is the caller's.
 */
#ifndef NTSD_TOOLS_NTSQ_STOCK_H
#define NTSD_TOOLS_NTSQ_STOCK_H

#include "nts-ke/ke_client.h"

struct ntsq_stock {
    size_t count;
    struct ke_client_cookie cookie[KE_COOKIES]; /* oldest first */
};

/* Forgets what it held and takes the cookies of a key establishment. */
void ntsq_stock_fill(struct ntsq_stock *stock, const struct ke_client_cookie *cookie, size_t count);

/* Moves the oldest cookie to `cookie`. False: there is none. */
bool ntsq_stock_take(struct ntsq_stock *stock, struct ke_client_cookie *cookie);

/* Keeps a cookie out of a reply. One too many, an empty one or one too long to keep is dropped. */
void ntsq_stock_put(struct ntsq_stock *stock, struct span cookie);

/* After a cookie was taken: how many placeholders make the stock full again, the reply bringing one
 * cookie of its own accord. */
size_t ntsq_stock_placeholders(const struct ntsq_stock *stock);

#endif
