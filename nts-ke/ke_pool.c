/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fixed pool of connections: a free list, and a list of those in use from the oldest to the
 * newest. See ke_pool.h.
 */
#include "nts-ke/ke_pool.h"

#include <stdlib.h>

NODISCARD enum nts_err ke_pool_init(struct ke_pool *pool, size_t size)
{
    size_t cells = ke_crowd_cells(2 * size);
    struct ke_crowd_cell *cell = calloc(cells, sizeof(*cell));
    *pool = (struct ke_pool){.size = size};
    pool->slots = calloc(size + KE_POOL_SPARE, sizeof(*pool->slots));
    if (pool->slots == NULL || cell == NULL) {
        free(pool->slots);
        free(cell);
        *pool = (struct ke_pool){.size = 0};
        return NTS_ESYSTEM;
    }
    ke_crowd_init(&pool->crowd, cell, cells);
    return NTS_OK;
}

void ke_pool_wipe(struct ke_pool *pool)
{
    free(pool->slots);
    free(pool->crowd.cell);
    *pool = (struct ke_pool){.size = 0};
}

static void append(struct ke_pool *pool, struct ke_conn *conn)
{
    conn->older = pool->newest;
    conn->newer = NULL;
    if (pool->newest != NULL) {
        pool->newest->newer = conn;
    } else {
        pool->oldest = conn;
    }
    pool->newest = conn;
}

static void take_out(struct ke_pool *pool, struct ke_conn *conn)
{
    if (conn->older != NULL) {
        conn->older->newer = conn->newer;
    } else {
        pool->oldest = conn->newer;
    }
    if (conn->newer != NULL) {
        conn->newer->older = conn->older;
    } else {
        pool->newest = conn->older;
    }
}

static struct ke_conn *free_slot(struct ke_pool *pool)
{
    struct ke_conn *conn = pool->free;
    if (conn != NULL) {
        pool->free = conn->newer;
        return conn;
    }
    return pool->touched < pool->size + KE_POOL_SPARE ? &pool->slots[pool->touched++] : NULL;
}

static void enter(struct ke_pool *pool, struct ke_conn *conn, const struct ke_origin *origin)
{
    conn->origin = *origin;
    ke_crowd_enter(&pool->crowd, origin->address);
    ke_crowd_enter(&pool->crowd, origin->network);
}

static void leave(struct ke_pool *pool, const struct ke_conn *conn)
{
    ke_crowd_leave(&pool->crowd, conn->origin.address);
    ke_crowd_leave(&pool->crowd, conn->origin.network);
}

struct ke_conn *ke_pool_take(struct ke_pool *pool, const struct ke_origin *origin)
{
    struct ke_conn *conn = pool->held < pool->size ? free_slot(pool) : NULL;
    if (conn == NULL) {
        return NULL;
    }
    append(pool, conn);
    enter(pool, conn, origin);
    pool->held++;
    return conn;
}

void ke_pool_move(struct ke_pool *pool, struct ke_conn *conn, const struct ke_origin *origin)
{
    leave(pool, conn);
    enter(pool, conn, origin);
}

void ke_pool_leave(struct ke_pool *pool, struct ke_conn *conn)
{
    take_out(pool, conn);
    leave(pool, conn);
    pool->held--;
}

void ke_pool_put(struct ke_pool *pool, struct ke_conn *conn)
{
    conn->newer = pool->free;
    pool->free = conn;
}

uint64_t ke_pool_from_address(const struct ke_pool *pool, const struct ke_origin *origin)
{
    return ke_crowd_count(&pool->crowd, origin->address);
}

uint64_t ke_pool_from_network(const struct ke_pool *pool, const struct ke_origin *origin)
{
    return ke_crowd_count(&pool->crowd, origin->network);
}

static bool is_more_crowded(const struct ke_pool *pool, const struct ke_conn *a,
                            const struct ke_conn *b)
{
    uint64_t network_a = ke_pool_from_network(pool, &a->origin);
    uint64_t network_b = ke_pool_from_network(pool, &b->origin);
    if (network_a != network_b) {
        return network_a > network_b;
    }
    return ke_pool_from_address(pool, &a->origin) > ke_pool_from_address(pool, &b->origin);
}

/* Of the oldest: the one from the most crowded place. Those passed over for it count as new. */
static struct ke_conn *choose(struct ke_pool *pool)
{
    struct ke_conn *chosen = NULL;
    struct ke_conn *next = pool->oldest;
    struct ke_conn *last = pool->newest;
    for (int i = 0; i < KE_POOL_LOOK && next != NULL; i++) {
        struct ke_conn *conn = next;
        next = conn == last ? NULL : conn->newer;
        if (!ke_conn_waits_for_peer(conn)) {
            continue;
        }
        struct ke_conn *spared = conn;
        if (chosen == NULL || is_more_crowded(pool, conn, chosen)) {
            spared = chosen;
            chosen = conn;
        }
        if (spared != NULL && is_more_crowded(pool, chosen, spared)) {
            take_out(pool, spared);
            append(pool, spared);
        }
    }
    return chosen;
}

bool ke_pool_displace(struct ke_pool *pool)
{
    struct ke_conn *conn = choose(pool);
    if (conn == NULL) {
        return false;
    }
    ke_conn_event(conn, KE_EVENT_DISPLACED);
    return true;
}

void ke_pool_abort(struct ke_pool *pool)
{
    while (pool->oldest != NULL) {
        ke_conn_event(pool->oldest, KE_EVENT_IO_ERROR);
    }
}
