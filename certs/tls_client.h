/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's TLS context: TLS 1.3, a trust store, ALPN, and the name that has to be in the
 * server's certificate. For ntsq and for NTS upstreams.
 *
 * All of it is enforced within the handshake, also that the server agreed to the ALPN name
 * (RFC 8915 section 4): a handshake that completes is one to be used. Why one failed is told by
 * tls_client_failure().
 */
#ifndef NTSD_CERTS_TLS_CLIENT_H
#define NTSD_CERTS_TLS_CLIENT_H

#include "certs/fault.h"
#include "common/base/err.h"

#include <openssl/types.h>
#include <stdbool.h>
#include <stdint.h>

enum { TLS_CLIENT_CA_FILE_MAX = 4 * 1024 * 1024 };

struct tls_client_options {
    const char *ca_file;   /* PEM; NULL: the system's trust store */
    const char *cert_file; /* our own, leaf first, for servers that ask for one; NULL: none */
    const char *key_file;  /* its key; not NULL when that is not */
    const char *alpn;      /* e.g. "ntske/1"; must outlive the context: a literal */
    bool ignore_dates;     /* a device without a clock: dates are checked afterwards */
};

/* NTS_EFORMAT, NTS_EAUTH or NTS_ESYSTEM: `fault` says what is wrong with which file. NTS_EINTERNAL:
 * the library failed. */
NODISCARD enum nts_err tls_client_new(const struct tls_client_options *options, SSL_CTX **ctx,
                                      struct cert_fault *fault);

/* A client-side SSL that verifies the peer against `host`, a DNS name or a numeric address (then an
 * IP SAN must match and no SNI is sent). NULL: out of memory, or `host` can be no name. The caller
 * frees it. */
SSL *tls_client_connection(SSL_CTX *ctx, const char *host);

/* After a handshake failed: true when it was us who refused the server, and `fault` says why
 * (CERT_EXPIRED, CERT_NOT_YET_VALID, CERT_NO_NAMES: another name, CERT_CHAIN_ORDER: not trusted,
 * CERT_INTERNAL: no ALPN). False: the cause is elsewhere, and `fault` is zeroed. */
bool tls_client_failure(SSL *ssl, struct cert_fault *fault);

/*
 * After a handshake: are all certificates of the verified chain valid at `now_s`? For clients that
 * learned the time only now. NTS_EAUTH: no; `fault` names the certificate and its dates.
 */
NODISCARD enum nts_err tls_client_check_dates(SSL *ssl, int64_t now_s, struct cert_fault *fault);

/* Facts of an established connection for people: printable ASCII, each terminated. */
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
