/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection to the KE service: a libuv socket and a timer around a TLS pump, driven by the
 * state machine of ke_state.h. Shell module; one thread, that of the loop.
 *
 * The timer runs from accept to close. Time that the loop itself lost is not held against the peer:
 * what had come by the deadline counts. While output waits for the peer to read, no input is read.
 */
#ifndef NTSD_NTS_KE_KE_CONN_H
#define NTSD_NTS_KE_KE_CONN_H

#include "common/base/stats.h"
#include "common/base/time.h"
#include "nts-ke/ke_device.h"
#include "nts-ke/ke_issuer.h"
#include "nts-ke/ke_origin.h"
#include "nts-ke/ke_outcome.h"
#include "nts-ke/ke_pump.h"

#include <uv.h>

enum {
    KE_CONN_LAST_LOOK_MS = 1, /* at the deadline: for what has come already */
    KE_CONN_GRACE_MS = 250,   /* after a timeout: to get Error 1 out and the connection closed */
};

struct ke_conn;

/* What all connections of a service share. Owned by the service. */
struct ke_conn_env {
    uv_loop_t *loop;
    struct tls_server *tls; /* for new connections; exchanged by a reload */
    struct ke_issuer *issuer;
    struct stats *stats;
    struct log_limit refusals; /* lines about clients' certificates */
    unsigned timeout_ms;
    /* A proxy's header named the client. Which counter refuses it; KE_COUNT_ACCEPTED: none. */
    enum ke_count (*proxied)(void *ctx, struct ke_conn *conn, const struct net_addr *client);
    void (*closed)(void *ctx, struct ke_conn *conn);   /* it is over; and later: */
    void (*released)(void *ctx, struct ke_conn *conn); /* its memory may be used again */
    void *ctx;
    uint8_t chunk[KE_PUMP_CHUNK_MAX]; /* every read lands here and is used up before the next */
};

struct ke_conn {
    struct ke_conn *older; /* these three are the pool's */
    struct ke_conn *newer;
    struct ke_origin origin;
    struct ke_conn_env *env;
    enum ke_state state;
    bool awaits_header; /* a PROXY header has to come before anything else */
    bool overdue;       /* the deadline passed once, see on_deadline() */
    bool writing;       /* a write is under way; its octets lie in the pump */
    unsigned handles;   /* open ones; at 0 the connection is released */
    struct mono_ns accepted;
    enum ke_request_fault fault; /* of the request, when the pump found it */
    struct ke_issued issued;     /* in RESPONSE: what is being sent */
    uv_tcp_t tcp;
    uv_timer_t deadline;
    uv_write_t write;
    uv_shutdown_t shutdown;
    struct ke_pump pump;
};

/* Takes ownership of `fd`, a connected socket; `proxy`: a PROXY header comes first. Ends with
 * env->closed(), perhaps at once, and env->released(), always later. */
void ke_conn_start(struct ke_conn *conn, struct ke_conn_env *env, int fd, bool proxy);

/* Something happened: carries out what ke_next() says, and what follows from that. From outside
 * only KE_EVENT_IO_ERROR and KE_EVENT_DISPLACED make sense: they close at once. Safe in any state.
 */
void ke_conn_event(struct ke_conn *conn, enum ke_event event);

/* It is the peer's turn: to send, or to read what it was sent. False while something it sent waits
 * for us. */
bool ke_conn_waits_for_peer(const struct ke_conn *conn);

#endif
