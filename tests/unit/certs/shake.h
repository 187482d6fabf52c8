/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TLS client and a TLS server joined in memory, and their handshake. For tests only.
 */
#ifndef NTSD_TESTS_CERTS_SHAKE_H
#define NTSD_TESTS_CERTS_SHAKE_H

#include <criterion/criterion.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

enum { SHAKE_ROUNDS = 20 };

struct shake {
    SSL *client; /* both belong to the struct */
    SSL *server;
    bool client_done;
    bool server_done;
    int client_error; /* reason of the failure; alerts received: SSL_AD_REASON_OFFSET + alert */
    int server_error;
};

static inline void shake_join(struct shake *s, SSL *client, SSL *server)
{
    *s = (struct shake){.client = client, .server = server};
    cr_assert(client != NULL && server != NULL);
    BIO *a;
    BIO *b;
    cr_assert_eq(BIO_new_bio_pair(&a, 0, &b, 0), 1);
    SSL_set_bio(client, a, a);
    SSL_set_bio(server, b, b);
}

static inline void shake_step(SSL *ssl, bool *done, int *error)
{
    if (*done || *error != 0) {
        return;
    }
    ERR_clear_error();
    int got = SSL_do_handshake(ssl);
    *done = got == 1;
    int why = SSL_get_error(ssl, got);
    if (got != 1 && why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) {
        *error = ERR_GET_REASON(ERR_peek_error());
        *error = *error != 0 ? *error : -1;
    }
    ERR_clear_error();
}

static inline void shake_client(struct shake *s)
{
    shake_step(s->client, &s->client_done, &s->client_error);
}

static inline void shake_server(struct shake *s)
{
    shake_step(s->server, &s->server_done, &s->server_error);
}

/* To the end, whatever that is. A client that is done reads on: a refusal comes after its last
 * message. */
static inline bool shake_run(struct shake *s)
{
    for (int i = 0; i < SHAKE_ROUNDS; i++) {
        shake_client(s);
        shake_server(s);
    }
    return s->client_done && s->server_done;
}

/* The alert that the client was sent, or -1. */
static inline int shake_alert(const struct shake *s)
{
    return s->client_error > SSL_AD_REASON_OFFSET ? s->client_error - SSL_AD_REASON_OFFSET : -1;
}

static inline void shake_free(struct shake *s)
{
    SSL_free(s->client);
    SSL_free(s->server);
}

#endif
