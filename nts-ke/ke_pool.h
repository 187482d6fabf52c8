/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connections of a KE service: as many as configured, allocated at once and never more. Memory
 * that was never needed was never touched, so a large pool costs address space and not RAM.
 *
 * Who is let in when all are in use: the newest, at the price of one that has been there for long.
 * Strangers who hold connections open would otherwise lock everyone out until each one's deadline,
 * while an honest exchange takes a few round trips. Of the oldest, the one from the most crowded
 * network goes, then from the most crowded address; one from a less crowded place that was passed
 * over counts as new again. So whoever holds many connections displaces himself. Connections that
 * wait for us and not for their peer stay: in a storm of honest clients nobody is displaced for our
 * own slowness.
 */
#ifndef NTSD_NTS_KE_KE_POOL_H
#define NTSD_NTS_KE_KE_POOL_H

#include "nts-ke/ke_conn.h"
#include "nts-ke/ke_crowd.h"

enum {
    /* What is displaced is released when the loop comes round; its successors need room meanwhile:
     * as many as are accepted in one turn from each of a few sockets. */
    KE_POOL_SPARE = 256,
    KE_POOL_LOOK = 16, /* candidates for displacement that are looked at */
};

struct ke_pool {
    struct ke_conn *slots;
    size_t size;    /* may be held at once */
    size_t touched; /* slots that were ever in use: the first ones */
    size_t held;    /* in use, and not closed */
    struct ke_conn *free;
    struct ke_conn *oldest;
    struct ke_conn *newest;
    struct ke_crowd crowd;
};

/* NTS_ESYSTEM: out of memory. */
NODISCARD enum nts_err ke_pool_init(struct ke_pool *pool, size_t size);
void ke_pool_wipe(struct ke_pool *pool);

/* A connection to start for a peer from there, or NULL: all are in use. */
struct ke_conn *ke_pool_take(struct ke_pool *pool, const struct ke_origin *origin);

/* It turns out to come from somewhere else. */
void ke_pool_move(struct ke_pool *pool, struct ke_conn *conn, const struct ke_origin *origin);

/* Makes room by closing one; false when nobody can be asked to go. */
bool ke_pool_displace(struct ke_pool *pool);

/* How many are held from that address, and from that network. */
uint64_t ke_pool_from_address(const struct ke_pool *pool, const struct ke_origin *origin);
uint64_t ke_pool_from_network(const struct ke_pool *pool, const struct ke_origin *origin);

/* It is closed and holds a place no longer; it is released and may be used again. */
void ke_pool_leave(struct ke_pool *pool, struct ke_conn *conn);
void ke_pool_put(struct ke_pool *pool, struct ke_conn *conn);

/* Closes all that are in use. */
void ke_pool_abort(struct ke_pool *pool);

#endif
