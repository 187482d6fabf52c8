/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fixed pool of connections.
 */
#include "nts-ke/ke_pool.h"

#include <stdlib.h>

NODISCARD enum nts_err ke_pool_init(struct ke_pool *pool, size_t size)
{
    *pool = (struct ke_pool){.size = size};
    pool->slots = calloc(size, sizeof(*pool->slots));
    return pool->slots != NULL ? NTS_OK : NTS_ESYSTEM;
}

void ke_pool_wipe(struct ke_pool *pool)
{
    free(pool->slots);
    *pool = (struct ke_pool){.size = 0};
}

struct ke_conn *ke_pool_take(struct ke_pool *pool)
{
    struct ke_conn *conn = pool->free;
    if (conn != NULL) {
        pool->free = conn->next_free;
    } else if (pool->touched < pool->size) {
        conn = &pool->slots[pool->touched++];
    } else {
        return NULL;
    }
    pool->active++;
    return conn;
}

void ke_pool_put(struct ke_pool *pool, struct ke_conn *conn)
{
    conn->next_free = pool->free;
    pool->free = conn;
    pool->active--;
}

void ke_pool_abort(struct ke_pool *pool)
{
    for (size_t i = 0; i < pool->touched; i++) {
        struct ke_conn *conn = &pool->slots[i];
        if (conn->state != KE_STATE_CLOSED) {
            ke_conn_event(conn, KE_EVENT_IO_ERROR);
        }
    }
}
