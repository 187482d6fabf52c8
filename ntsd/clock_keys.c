/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See clock_keys.h.
 */
#include "ntsd/clock_keys.h"

#include "nts-ke/ke_client.h"

#include <netdb.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_MS = 4000, ADDRESSES_MAX = 4, PORT_TEXT_MAX = 8, WHY_MAX = 512 };

_Static_assert((int)KE_CLIENT_COOKIE_MAX == (int)NTP_SESSION_COOKIE_MAX, "a cookie fits both");

struct job {
    uv_work_t work;
    const struct config_source *source;
    const char *ca_file;
    clock_keys_over over;
    void *ctx;
    bool good;
    struct ntp_session session;
    struct ke_client_result result;
    char why[WHY_MAX];
};

/* Up to ADDRESSES_MAX addresses of a name; 0 after job->why. */
static size_t look_up(struct job *job, const char *host, uint16_t port, int type,
                      struct net_addr *addr)
{
    char service[PORT_TEXT_MAX];
    struct addrinfo *list = NULL;
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = type};
    (void)snprintf(service, sizeof(service), "%u", port);
    int error = getaddrinfo(host, service, &hints, &list);
    if (error != 0) {
        (void)snprintf(job->why, sizeof(job->why), "%.200s: %s", host, gai_strerror(error));
        return 0;
    }
    size_t n = 0;
    for (const struct addrinfo *a = list; a != NULL && n < ADDRESSES_MAX; a = a->ai_next) {
        if (a->ai_addrlen <= sizeof(addr[n])) {
            memset(&addr[n], 0, sizeof(addr[n]));
            memcpy(&addr[n++], a->ai_addr, a->ai_addrlen);
        }
    }
    freeaddrinfo(list);
    return n;
}

static enum nts_err exchange(struct job *job, SSL_CTX *tls, const struct net_addr *addr)
{
    uint16_t aeads[AEAD_MAX];
    size_t count = 0;
    size_t all_count = 0;
    struct ke_client_why why;
    const struct aead *const *all = aead_all(&all_count);
    for (; count < all_count && count < AEAD_MAX; count++) {
        aeads[count] = all[count]->id;
    }
    const struct ke_client_options options = {.tls = tls,
                                              .host = job->source->name,
                                              .addr = addr,
                                              .timeout_ms = TIMEOUT_MS,
                                              .aeads = aeads,
                                              .aead_count = count};
    enum nts_err err = ke_client_exchange(&options, &job->result, &why);
    const struct ke_answer *answer = &job->result.answer;
    if (err == NTS_OK && (answer->has_error || !answer->ntpv4 || answer->aead == 0)) {
        err = NTS_EFORMAT;
    }
    if (err == NTS_OK && job->result.cookie_count == 0) {
        (void)snprintf(why.text, sizeof(why.text), "%.200s gave no cookie", job->source->name);
        err = NTS_EFORMAT;
    }
    if (err != NTS_OK) {
        (void)snprintf(job->why, sizeof(job->why), "%s", why.text);
        ke_client_result_wipe(&job->result);
    }
    return err;
}

/* RFC 8915 §4.1.7, 4.1.8: the server's own address and the configured port, unless it says
 * otherwise. */
static bool choose_server(struct job *job, const struct net_addr *ke_addr)
{
    const struct ke_answer *answer = &job->result.answer;
    struct net_addr addr[ADDRESSES_MAX] = {*ke_addr};
    uint16_t port = answer->port != NTP_PORT ? answer->port : job->source->port;
    if (answer->server[0] != '\0' && look_up(job, answer->server, port, SOCK_DGRAM, addr) == 0) {
        return false;
    }
    job->session.addr = addr[0];
    if (addr[0].sa.sa_family == AF_INET) {
        job->session.addr.v4.sin_port = htons(port);
    } else {
        job->session.addr.v6.sin6_port = htons(port);
    }
    return true;
}

static void take_keys(struct job *job)
{
    job->session.keys = job->result.keys;
    for (size_t i = 0; i < job->result.cookie_count; i++) {
        ntp_session_keep(&job->session,
                         span_of(job->result.cookie[i].bytes, job->result.cookie[i].len));
    }
    job->good = true;
}

/* One address after the other, until one answers. */
static void establish(struct job *job, SSL_CTX *tls)
{
    struct net_addr addr[ADDRESSES_MAX];
    size_t n = look_up(job, job->source->name, job->source->ke_port, SOCK_STREAM, addr);
    for (size_t i = 0; i < n; i++) {
        if (exchange(job, tls, &addr[i]) != NTS_OK) {
            continue;
        }
        if (choose_server(job, &addr[i])) {
            take_keys(job);
        }
        ke_client_result_wipe(&job->result);
        return;
    }
}

/* In the helper thread: touches nothing but the job. */
static void run(uv_work_t *work)
{
    struct job *job = work->data;
    SSL_CTX *tls = NULL;
    struct cert_fault fault;
    const struct tls_client_options options = {.ca_file = job->ca_file, .alpn = KE_ALPN};
    if (tls_client_new(&options, &tls, &fault) != NTS_OK) {
        (void)snprintf(job->why, sizeof(job->why), "%s", fault.text);
        return;
    }
    establish(job, tls);
    SSL_CTX_free(tls);
}

static void on_over(uv_work_t *work, int status)
{
    struct job *job = work->data;
    (void)status; /* cancelled: not good */
    job->over(job->ctx, job->good ? &job->session : NULL, job->why);
    wipe(job, sizeof(*job));
    free(job);
}

NODISCARD enum nts_err clock_keys_begin(uv_loop_t *loop, const struct config_source *source,
                                        const char *ca_file, clock_keys_over over, void *ctx)
{
    struct job *job = calloc(1, sizeof(*job));
    if (job == NULL) {
        return NTS_EINTERNAL;
    }
    job->work.data = job;
    job->source = source;
    job->ca_file = ca_file;
    job->over = over;
    job->ctx = ctx;
    if (uv_queue_work(loop, &job->work, run, on_over) != 0) {
        free(job);
        return NTS_EINTERNAL;
    }
    return NTS_OK;
}
