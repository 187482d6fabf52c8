/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's TLS context: TLS 1.3, a trust store, ALPN, and the name that has to be in the
 * server's certificate. For ntsq and for NTS upstreams.
 */
#ifndef NTSD_CERTS_TLS_CLIENT_H
#define NTSD_CERTS_TLS_CLIENT_H

#include "certs/fault.h"
#include "common/base/err.h"

#include <openssl/types.h>
#include <stdbool.h>
#include <stdint.h>

struct tls_client_options {
    const char *ca_file; /* PEM; NULL: the system's trust store */
    const char *alpn;    /* e.g. "ntske/1" */
    bool ignore_dates;   /* a device without a clock: dates are checked afterwards */
};

/* NTS_EFORMAT or NTS_ESYSTEM: `fault` says what is wrong with the CA file. */
NODISCARD enum nts_err tls_client_new(const struct tls_client_options *options, SSL_CTX **ctx,
                                      struct cert_fault *fault);

/* A client-side SSL that verifies the peer against `host`, a DNS name or a numeric address (then an
 * IP SAN must match and no SNI is sent). NULL: out of memory. The caller frees it. */
SSL *tls_client_connection(SSL_CTX *ctx, const char *host);

/*
 * After a handshake: are all certificates of the verified chain valid at `now_s`? For clients that
 * learned the time only now. NTS_EAUTH: no; `fault` names the certificate and its dates.
 */
NODISCARD enum nts_err tls_client_check_dates(SSL *ssl, int64_t now_s, struct cert_fault *fault);

/* Facts of an established connection for people: all strings static or in `info`. */
struct tls_client_info {
    char version[16];
    char group[24];
    char cipher[48];
    char names[256];
    char issuer[128];
    int64_t not_after; /* the leaf's */
};
void tls_client_describe(SSL *ssl, struct tls_client_info *info);

#endif
