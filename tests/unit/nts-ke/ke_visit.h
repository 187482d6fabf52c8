/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests: those who visit the service of ke_fixture.h, an honest client and a peer that can be
 * told to do anything, and the service's end.
 */
#ifndef NTSD_TESTS_UNIT_KE_VISIT_H
#define NTSD_TESTS_UNIT_KE_VISIT_H

#include "nts-ke/ke_client.h"
#include "nts-ke/ke_outcome.h"
#include "tests/unit/nts-ke/ke_fixture.h"

#include <poll.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>

/* Waits for something that another process does: true when it happened within five seconds. */
#define FIXTURE_AWAIT(condition)                                                                   \
    for (int tries_ = 0; !(condition); tries_++) {                                                 \
        cr_assert_lt(tries_, 2500, "waited in vain for " #condition);                              \
        (void)poll(NULL, 0, 2);                                                                    \
    }

static inline uint64_t fixture_count(const struct ke_fixture *f, unsigned index)
{
    return stats_get(f->stats, index);
}

static inline int fixture_wait(const struct ke_fixture *f)
{
    int status = -1;
    cr_assert_eq(waitpid(f->pid, &status, 0), f->pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* SIGTERM, a clean exit, and the files removed. */
static inline void fixture_stop(const struct ke_fixture *f)
{
    cr_assert_eq(kill(f->pid, SIGTERM), 0);
    cr_assert_eq(fixture_wait(f), 0);
    fixture_clean(f);
}

/* What the service says about itself; zeros before it says anything. */
static inline struct ke_status fixture_status(const struct ke_fixture *f)
{
    struct ke_status status = {.ready = 0};
    uint64_t generation = 0;
    cr_assert_eq(board_read(f->status_board, &status, sizeof(status), &generation), NTS_OK);
    return status;
}

/* Makes the certificate's file one that is no use. */
static inline void fixture_damage(const struct ke_fixture *f)
{
    FILE *file = fopen(f->cert, "w");
    cr_assert_not_null(file);
    cr_assert_geq(fputs("-----BEGIN CERTIFICATE-----\nMIIB\n", file), 0);
    cr_assert_eq(fclose(file), 0);
}

/* One exchange, as ntsq does it. */
static inline enum nts_err fixture_exchange(const struct ke_fixture *f, const uint16_t *aeads,
                                            size_t count, struct ke_client_result *result)
{
    struct ke_client_why why;
    struct ke_client_options options = {.tls = f->tls,
                                        .host = "localhost",
                                        .addr = &f->addr,
                                        .timeout_ms = 5000,
                                        .aeads = aeads,
                                        .aead_count = count};
    return ke_client_exchange(&options, result, &why);
}

/* The canary: whatever happened before, an honest client is served. */
static inline void fixture_canary(const struct ke_fixture *f)
{
    static const uint16_t aeads[] = {15};
    static struct ke_client_result result;
    cr_assert_eq(fixture_exchange(f, aeads, 1, &result), NTS_OK);
    cr_assert_eq(result.cookie_count, KE_COOKIES);
    ke_client_result_wipe(&result);
}

/* A TLS client that does one thing at a time. */
struct peer {
    int fd;
    SSL *ssl;
    size_t len;
    char message[4096];
};

/* A blocking socket that waits five seconds at most. */
static inline int peer_connect(const struct ke_fixture *f)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_geq(fd, 0);
    struct timeval limit = {.tv_sec = 5};
    cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
    cr_assert_eq(connect(fd, &f->addr.sa, net_addr_len(&f->addr)), 0);
    return fd;
}

static inline bool peer_shake(struct peer *peer, const struct ke_fixture *f)
{
    peer->fd = peer_connect(f);
    peer->len = 0;
    peer->ssl = tls_client_connection(f->tls, "localhost");
    cr_assert_not_null(peer->ssl);
    cr_assert_eq(SSL_set_fd(peer->ssl, peer->fd), 1);
    return SSL_connect(peer->ssl) == 1;
}

static inline void peer_say(struct peer *peer, const void *p, size_t n)
{
    cr_assert_eq(SSL_write(peer->ssl, p, (int)n), (int)n);
}

/* Reads to the end: true when that was a close_notify. */
static inline bool peer_listen(struct peer *peer)
{
    int got = 1;
    while (got > 0) {
        got = SSL_read(peer->ssl, peer->message + peer->len,
                       (int)(sizeof(peer->message) - peer->len));
        peer->len += got > 0 ? (size_t)got : 0;
    }
    return SSL_get_error(peer->ssl, got) == SSL_ERROR_ZERO_RETURN;
}

static inline void peer_leave(struct peer *peer)
{
    SSL_free(peer->ssl);
    (void)close(peer->fd);
}

static inline bool peer_heard(const struct peer *peer, const char *p, size_t n)
{
    return span_is(span_of(peer->message, peer->len), p, n);
}
#define PEER_HEARD(peer, text) peer_heard(peer, text, sizeof(text) - 1)

#endif
