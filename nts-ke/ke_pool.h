/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connections of a KE service: as many as configured, allocated at once and never more. Memory
 * that was never needed was never touched, so a large pool costs address space and not RAM.
 */
#ifndef NTSD_NTS_KE_KE_POOL_H
#define NTSD_NTS_KE_KE_POOL_H

#include "nts-ke/ke_conn.h"

struct ke_pool {
    struct ke_conn *slots;
    size_t size;
    size_t touched; /* slots that were ever in use: the first ones */
    size_t active;
    struct ke_conn *free;
};

/* NTS_ESYSTEM: out of memory. */
NODISCARD enum nts_err ke_pool_init(struct ke_pool *pool, size_t size);
void ke_pool_wipe(struct ke_pool *pool);

/* A connection to start, or NULL: all are in use. */
struct ke_conn *ke_pool_take(struct ke_pool *pool);
void ke_pool_put(struct ke_pool *pool, struct ke_conn *conn);

/* Closes all that are in use. */
void ke_pool_abort(struct ke_pool *pool);

#endif
