/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server's certificates and the TLS context made of them: several pairs, chosen by SNI, the
 * first one without SNI or when no name matches.
 *
 * TLS 1.3 only; no tickets, no session cache, no early data, no renegotiation, ALPN mandatory;
 * groups X25519, P-256, P-384 (RFC 8915 section 3). A context is immutable once made: a reload
 * makes a new one, and connections that run keep theirs (OpenSSL counts references).
 *
 * Clients may be asked for a certificate (client_ca.h). Theirs comes before the end of the
 * handshake, so a handshake that is done is one with a client that was let in.
 */
#ifndef NTSD_CERTS_TLS_SERVER_H
#define NTSD_CERTS_TLS_SERVER_H

#include "certs/client_ca.h"
#include "certs/pair.h"

enum { TLS_PAIRS_MAX = 16 };

struct tls_pair_files {
    const char *cert;
    const char *key;
};

struct tls_server_options {
    const struct tls_pair_files *files;
    size_t count;     /* 1..TLS_PAIRS_MAX */
    const char *alpn; /* the only protocol spoken, e.g. "ntske/1" */
    int64_t now_s;
    /* An expired or not yet valid certificate is served with a warning and not a fault. For those
     * who have nothing better: an outage would not make it any more valid. */
    bool accept_invalid_dates;
    struct client_ca_files clients;
};

struct tls_server_info {
    size_t count;
    struct {
        int64_t not_before;
        int64_t not_after;
        char names[CERT_NAMES_TEXT_MAX];
    } pair[TLS_PAIRS_MAX];
    struct client_ca_info clients;
    struct cert_fault warning; /* kind CERT_OK: none; with accept_invalid_dates, the last one */
};

struct tls_server; /* owns the contexts and pairs; reference counted by its connections */

/* Loads all files and makes the context. On failure nothing is made and `fault` says why. */
NODISCARD enum nts_err tls_server_new(const struct tls_server_options *options,
                                      struct tls_server **server, struct tls_server_info *info,
                                      struct cert_fault *fault);

/* Are all its certificates, with their chains, valid at this time? Thread-safe. */
bool tls_server_is_valid(const struct tls_server *server, int64_t now_s);

/* Drops the caller's reference; connections made from it keep what they need. NULL is a no-op. */
void tls_server_free(struct tls_server *server);

/* A new server-side SSL without BIOs, or NULL when out of memory. The caller frees it. */
SSL *tls_server_connection(struct tls_server *server);

#endif
