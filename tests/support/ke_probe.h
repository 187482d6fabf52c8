/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NTS-KE connections for tests that have to misbehave: any octets over TLS or bare TCP, and what
 * the server made of them. Test code: blocking, exits on its own faults.
 */
#ifndef NTSD_TESTS_SUPPORT_KE_PROBE_H
#define NTSD_TESTS_SUPPORT_KE_PROBE_H

#include "nts-ke/ke_outcome.h"
#include "tests/support/probe.h"

#include <openssl/ssl.h>

enum { KE_PROBE_IDLE_LIMIT_MS = 3500 }; /* the server's deadline and a margin */

enum reply {
    REPLY_OK,
    REPLY_NO_AEAD,
    REPLY_NO_PROTOCOL,
    REPLY_ERROR_0,
    REPLY_ERROR_1,
    REPLY_CLOSED
};

/* For people and for the table of docs/bad-input.md. */
extern const char *const reply_names[];

/* How the message leaves. */
enum manner { WHOLE, OCTETS, HALF_CLOSED, SILENT_AFTER };

/* A counter of the KE service by its index (enum ke_count). */
uint64_t ke_probe_counter(const struct probe *probe, unsigned index);

/* How far the counter has moved from `before`: waits up to half a second for a first step, because
 * the service may count after the peer saw the end. */
uint64_t ke_probe_moved(const struct probe *probe, unsigned index, uint64_t before);

/* A connected TCP socket; an SSL over one, not yet shaken hands. ke_probe_close() closes both. */
int ke_probe_tcp(const struct probe *probe);
SSL *ke_probe_tls(const struct probe *probe, SSL_CTX *ctx, const char *name);
void ke_probe_close(SSL *ssl);

/* All the peer sends until it closes, and what it means. */
size_t ke_probe_read(SSL *ssl, uint8_t *out, size_t cap);
enum reply ke_probe_understand(struct span message);

bool ke_probe_send(SSL *ssl, struct span message, enum manner manner);

/* Sends and reads to the end; `clean` tells that the server ended with close_notify. */
enum reply ke_probe_exchange(const struct probe *probe, struct span message, enum manner manner,
                             bool *clean);

/* NTPv4 with AES-SIV-CMAC-256 and nothing else. */
void ke_probe_good_request(struct wr *w);

#endif
