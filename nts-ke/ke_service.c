/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The `ke` process: start, reload, drain. Connections are ke_conn's, accepting is ke_acceptor's.
 */
#include "nts-ke/ke_service.h"

#include "common/base/log.h"
#include "nts-ke/ke_acceptor.h"
#include "nts-ke/ke_certs.h"
#include "nts-ke/ke_pool.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { SIGNALS = 3 };

struct service {
    const struct ke_service_options *options;
    uv_loop_t loop;
    uv_signal_t signal[SIGNALS];
    uv_timer_t drain;
    bool draining;
    struct ke_certs certs;
    struct ke_acceptor acceptor;
    struct ke_pool pool;
    struct ke_admission admission;
    struct ke_issuer issuer;
    struct ke_conn_env env;
    struct ke_status status;
};

static void publish(struct service *service)
{
    if (service->options->status_board != NULL) {
        board_write(service->options->status_board, &service->status, sizeof(service->status));
    }
}

static void on_certs_changed(void *ctx)
{
    publish(ctx);
}

/* --- Drain --- */

/* Closes all but the connections; the loop ends when they are gone, too. */
static void close_all(struct service *service)
{
    ke_certs_close(&service->certs);
    for (int i = 0; i < SIGNALS; i++) {
        uv_close((uv_handle_t *)&service->signal[i], NULL);
    }
    uv_close((uv_handle_t *)&service->drain, NULL);
}

static void finish_if_drained(struct service *service)
{
    if (service->draining && service->pool.held == 0 &&
        uv_is_closing((uv_handle_t *)&service->drain) == 0) {
        close_all(service);
    }
}

static void on_drain_over(uv_timer_t *timer)
{
    struct service *service = timer->data;
    log_event(LOG_LEVEL_WARN, "drain is over, connections are cut", "connections",
              log_fmt(LOG_BUF, "%zu", service->pool.held), NULL);
    ke_pool_abort(&service->pool);
}

static void drain(struct service *service)
{
    if (service->draining) {
        return;
    }
    service->draining = true;
    unsigned drain_ms = service->options->drain_ms != 0 ? service->options->drain_ms : KE_DRAIN_MS;
    log_event(LOG_LEVEL_INFO, "draining", "connections",
              log_fmt(LOG_BUF, "%zu", service->pool.held), NULL);
    ke_acceptor_drain(&service->acceptor);
    ke_certs_stop(&service->certs);
    (void)uv_timer_start(&service->drain, on_drain_over, drain_ms, 0);
    service->status.ready = 0;
    publish(service);
    finish_if_drained(service);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct service *service = handle->data;
    if (number != SIGHUP) {
        drain(service);
    } else {
        ke_certs_reload(&service->certs);
    }
}

/* --- Connections --- */

static void on_closed(void *ctx, struct ke_conn *conn)
{
    struct service *service = ctx;
    ke_pool_leave(&service->pool, conn);
}

static void on_released(void *ctx, struct ke_conn *conn)
{
    struct service *service = ctx;
    ke_pool_put(&service->pool, conn);
    finish_if_drained(service);
}

/* A place for a connection of this client, at the price of another's if need be. */
static struct ke_conn *take_place(struct service *service, const struct net_addr *client)
{
    struct ke_origin origin = ke_admission_origin(&service->admission, client);
    struct ke_conn *conn = ke_pool_take(&service->pool, &origin);
    if (conn == NULL && ke_pool_displace(&service->pool)) {
        conn = ke_pool_take(&service->pool, &origin);
    }
    return conn;
}

static void on_accepted(void *ctx, int fd, const struct net_addr *peer)
{
    struct service *service = ctx;
    bool proxy = ke_admission_is_proxy(&service->admission, peer);
    enum ke_count verdict =
        proxy ? KE_COUNT_ACCEPTED : ke_admission_judge(&service->admission, &service->pool, peer);
    struct ke_conn *conn = verdict == KE_COUNT_ACCEPTED ? take_place(service, peer) : NULL;
    stats_add(service->options->stats, KE_COUNT_ACCEPTED, 1);
    if (conn == NULL) {
        verdict = verdict == KE_COUNT_ACCEPTED ? KE_COUNT_POOL_FULL : verdict;
        stats_add(service->options->stats, verdict, 1);
        (void)close(fd);
        return;
    }
    ke_conn_start(conn, &service->env, fd, proxy);
}

/* A proxy has said whose connection it is: from now on it counts as that client's. */
static enum ke_count on_proxied(void *ctx, struct ke_conn *conn, const struct net_addr *client)
{
    struct service *service = ctx;
    enum ke_count verdict = ke_admission_judge(&service->admission, &service->pool, client);
    if (verdict == KE_COUNT_ACCEPTED) {
        struct ke_origin origin = ke_admission_origin(&service->admission, client);
        ke_pool_move(&service->pool, conn, &origin);
    }
    return verdict;
}

/* --- Start and end --- */

/* Signals first: one that comes while the rest starts must not kill the process. */
static void open_handles(struct service *service)
{
    static const int numbers[SIGNALS] = {SIGTERM, SIGINT, SIGHUP};
    (void)signal(SIGPIPE, SIG_IGN); /* a peer that is gone is an error of write(2) */
    for (int i = 0; i < SIGNALS; i++) {
        (void)uv_signal_init(&service->loop, &service->signal[i]);
        service->signal[i].data = service;
        (void)uv_signal_start(&service->signal[i], on_signal, numbers[i]);
    }
    (void)uv_timer_init(&service->loop, &service->drain);
    service->drain.data = service;
    service->certs.options = service->options;
    service->certs.tls = &service->env.tls;
    service->certs.status = &service->status;
    service->certs.changed = on_certs_changed;
    service->certs.ctx = service;
    ke_certs_open(&service->certs, &service->loop);
}

static bool start_connections(struct service *service)
{
    const struct ke_service_options *options = service->options;
    service->issuer.policy = options->policy;
    service->issuer.ntp_server = options->ntp_server;
    service->issuer.ntp_port = options->ntp_port;
    service->issuer.key_board = options->key_board;
    service->issuer.rng = rng_new();
    service->env.loop = &service->loop;
    service->env.issuer = &service->issuer;
    service->env.stats = options->stats;
    service->env.refusals = (struct log_limit)KE_DEVICE_LOG_LIMIT;
    service->env.timeout_ms = options->timeout_ms != 0 ? options->timeout_ms : KE_TIMEOUT_MS;
    service->env.proxied = on_proxied;
    service->env.closed = on_closed;
    service->env.released = on_released;
    service->env.ctx = service;
    if (service->issuer.rng == NULL ||
        ke_pool_init(&service->pool, options->connections_max) != NTS_OK ||
        ke_admission_init(&service->admission, &options->admission, service->issuer.rng) !=
            NTS_OK) {
        log_event(LOG_LEVEL_ERROR, "key establishment cannot start: no memory or randomness", NULL);
        return false;
    }
    const struct ke_acceptor_options accepting = {.loop = &service->loop,
                                                  .listener = options->listener,
                                                  .count = options->listener_count,
                                                  .stats = options->stats,
                                                  .accepted = on_accepted,
                                                  .ctx = service};
    if (ke_acceptor_open(&service->acceptor, &accepting) != NTS_OK) {
        log_event(LOG_LEVEL_ERROR, "key establishment cannot use its sockets", "reason",
                  strerror(errno), NULL);
        return false;
    }
    return true;
}

static bool start(struct service *service)
{
    publish(service); /* not ready: what the process before this one said is not true any more */
    if (!ke_certs_start(&service->certs) || !start_connections(service)) {
        return false;
    }
    service->status.ready = 1;
    publish(service);
    log_event(LOG_LEVEL_INFO, "key establishment ready", "sockets",
              log_fmt(LOG_BUF, "%zu", service->options->listener_count), NULL);
    return true;
}

static void release(struct service *service)
{
    tls_server_free(service->env.tls);
    cookie_ring_wipe(&service->issuer.ring);
    rng_free(service->issuer.rng);
    ke_pool_wipe(&service->pool);
    ke_admission_wipe(&service->admission);
    free(service);
}

int ke_service_run(const struct ke_service_options *options)
{
    struct service *service = calloc(1, sizeof(*service));
    if (service == NULL || uv_loop_init(&service->loop) != 0) {
        log_event(LOG_LEVEL_ERROR, "key establishment cannot start: no event loop", NULL);
        free(service);
        return 1;
    }
    service->options = options;
    service->acceptor.closed = true; /* until it is open */
    open_handles(service);
    bool started = start(service);
    if (!started) {
        ke_acceptor_close(&service->acceptor);
        close_all(service);
    }
    (void)uv_run(&service->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&service->loop);
    release(service);
    return started ? 0 : 1;
}
