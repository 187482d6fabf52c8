/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The certificates of the KE service. See ke_certs.h.
 */
#include "nts-ke/ke_certs.h"

#include "common/base/log.h"

#include <errno.h>
#include <inttypes.h>

enum { SECONDS_PER_DAY = 86400 };

static int64_t now_s(void)
{
    return wall_now().ns / NS_PER_S;
}

static enum nts_err load(struct ke_certs *certs, bool accept_invalid_dates,
                         struct tls_server_info *info, struct cert_fault *fault)
{
    const struct tls_server_options options = {
        .files = certs->options->pair,
        .count = certs->options->pair_count,
        .alpn = KE_ALPN,
        .now_s = now_s(),
        .accept_invalid_dates = accept_invalid_dates,
        .clients = certs->options->clients,
    };
    struct tls_server *made = NULL;
    TRY(tls_server_new(&options, &made, info, fault));
    tls_server_free(*certs->tls); /* connections that run keep what they need of it */
    *certs->tls = made;
    return NTS_OK;
}

/* --- What is in service, for people --- */

static const char *days_left(int64_t until, struct log_buf *buf)
{
    return log_fmt(buf, "%" PRId64, (until - now_s()) / SECONDS_PER_DAY);
}

static void log_pairs(const struct ke_certs *certs, const struct tls_server_info *info)
{
    for (size_t i = 0; i < info->count; i++) {
        log_event(LOG_LEVEL_INFO, "certificate in service", "file", certs->options->pair[i].cert,
                  "names", info->pair[i].names, "days_left",
                  days_left(info->pair[i].not_after, LOG_BUF), NULL);
    }
    if (info->warning.kind != CERT_OK) {
        log_event(LOG_LEVEL_WARN, "certificate in service is not valid", "reason",
                  info->warning.text, NULL);
    }
}

static void log_clients(const struct client_ca_info *clients)
{
    for (size_t i = 0; i < clients->count; i++) {
        bool valid = clients->ca[i].not_after >= now_s();
        log_event(valid ? LOG_LEVEL_INFO : LOG_LEVEL_WARN,
                  valid ? "clients need a certificate of this authority"
                        : "an authority of clients has expired, and with it what it issued",
                  "subject", clients->ca[i].subject, "days_left",
                  days_left(clients->ca[i].not_after, LOG_BUF), NULL);
    }
    if (clients->crl_count > 0) {
        log_event(LOG_LEVEL_INFO, "revoked certificates of clients in service", "lists",
                  log_fmt(LOG_BUF, "%" PRIu64, clients->crl_count), "revoked",
                  log_fmt(LOG_BUF, "%" PRIu64, clients->revoked), NULL);
    }
}

static void describe(struct ke_status *status, const struct tls_server_info *info)
{
    status->pair_count = info->count;
    for (size_t i = 0; i < info->count; i++) {
        status->not_before[i] = info->pair[i].not_before;
        status->not_after[i] = info->pair[i].not_after;
        memcpy(status->names[i], info->pair[i].names, sizeof(status->names[i]));
    }
    status->clients = info->clients;
}

/* Said once, when it begins; all that is on the list stays refused. */
static void look_at_lists(struct ke_certs *certs)
{
    const struct client_ca_info *clients = &certs->status->clients;
    bool overdue = clients->crl_count > 0 && clients->crl_until < now_s();
    if (overdue && !certs->overdue) {
        log_event(LOG_LEVEL_WARN,
                  "a list of revoked certificates is past its date and goes on being used", "file",
                  certs->options->clients.crl, "days",
                  log_fmt(LOG_BUF, "%" PRId64, (now_s() - clients->crl_until) / SECONDS_PER_DAY),
                  NULL);
    }
    certs->overdue = overdue;
}

static void take_over(struct ke_certs *certs, const struct tls_server_info *info)
{
    describe(certs->status, info);
    log_pairs(certs, info);
    log_clients(&info->clients);
    certs->overdue = false;
    look_at_lists(certs);
}

/* --- Reload --- */

/* May the same files be good later, with nobody touching them? */
static bool may_pass(enum cert_fault_kind kind)
{
    return kind == CERT_UNREADABLE || kind == CERT_INTERNAL || kind == CERT_NOT_YET_VALID;
}

static void refuse_new(struct ke_certs *certs, const struct cert_fault *fault)
{
    if (certs->refused != fault->kind) { /* else it is known */
        log_event(LOG_LEVEL_WARN, "new certificate refused, the old one stays in service", "reason",
                  fault->text, NULL);
    }
    certs->refused = fault->kind;
}

static void reload(struct ke_certs *certs)
{
    struct tls_server_info info;
    struct cert_fault fault;
    bool valid = tls_server_is_valid(*certs->tls, now_s());
    bool good = load(certs, !valid, &info, &fault) == NTS_OK;
    stats_add(certs->options->stats, good ? KE_COUNT_RELOADS : KE_COUNT_RELOAD_FAILED, 1);
    if (good) {
        take_over(certs, &info);
        certs->refused = CERT_OK;
    } else {
        refuse_new(certs, &fault);
    }
    certs->status->last_reload_failed = good ? 0 : 1;
    certs->changed(certs->ctx);
}

static void on_retry(uv_timer_t *timer)
{
    struct ke_certs *certs = timer->data;
    if (may_pass(certs->refused)) {
        reload(certs);
    }
    look_at_lists(certs);
}

/* Someone asks for it: the answer is logged, even if it is the old one. */
static void reload_now(struct ke_certs *certs)
{
    certs->refused = CERT_OK;
    reload(certs);
}

static void on_burst_over(uv_timer_t *timer)
{
    reload_now(timer->data);
}

static void on_files_changed(void *ctx)
{
    struct ke_certs *certs = ctx;
    if (!certs->over) {
        reload_now(certs);
    }
}

void ke_certs_reload(struct ke_certs *certs)
{
    if (!certs->over && uv_is_active((uv_handle_t *)&certs->burst) == 0) {
        (void)uv_timer_start(&certs->burst, on_burst_over, KE_CERTS_DELAY_MS, 0);
    }
}

/* --- Start and end --- */

static void watch_files(struct ke_certs *certs, uv_loop_t *loop)
{
    const struct ke_service_options *options = certs->options;
    const char *paths[2 * TLS_PAIRS_MAX + 2];
    _Static_assert(sizeof(paths) / sizeof(paths[0]) <= CERT_WATCH_PATHS_MAX, "all can be watched");
    size_t count = 0;
    for (size_t i = 0; i < options->pair_count && i < TLS_PAIRS_MAX; i++) {
        paths[count++] = options->pair[i].cert;
        paths[count++] = options->pair[i].key;
    }
    if (options->clients.ca != NULL) {
        paths[count++] = options->clients.ca;
    }
    if (options->clients.crl != NULL) {
        paths[count++] = options->clients.crl;
    }
    certs->watching =
        cert_watch_open(&certs->watch, loop, paths, count, on_files_changed, certs) == NTS_OK;
    if (!certs->watching) {
        log_event(LOG_LEVEL_WARN, "certificate files are not watched: send SIGHUP after a change",
                  "reason", strerror(errno), NULL);
    }
}

void ke_certs_open(struct ke_certs *certs, uv_loop_t *loop)
{
    (void)uv_timer_init(loop, &certs->burst);
    (void)uv_timer_init(loop, &certs->retry);
    certs->burst.data = certs;
    certs->retry.data = certs;
    certs->over = true; /* until there is something to replace */
    watch_files(certs, loop);
}

bool ke_certs_start(struct ke_certs *certs)
{
    struct tls_server_info info;
    struct cert_fault fault;
    if (load(certs, certs->options->restarted, &info, &fault) != NTS_OK) {
        log_event(LOG_LEVEL_ERROR, "key establishment cannot start", "reason", fault.text, NULL);
        return false;
    }
    take_over(certs, &info);
    certs->over = false;
    unsigned retry_ms = certs->options->reload_retry_ms;
    retry_ms = retry_ms != 0 ? retry_ms : KE_RETRY_MS;
    (void)uv_timer_start(&certs->retry, on_retry, retry_ms, retry_ms);
    return true;
}

void ke_certs_stop(struct ke_certs *certs)
{
    certs->over = true;
    (void)uv_timer_stop(&certs->burst);
    (void)uv_timer_stop(&certs->retry);
}

void ke_certs_close(struct ke_certs *certs)
{
    certs->over = true;
    if (certs->watching) {
        cert_watch_close(&certs->watch);
    }
    certs->watching = false;
    uv_close((uv_handle_t *)&certs->burst, NULL);
    uv_close((uv_handle_t *)&certs->retry, NULL);
}
