/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What certificates of clients are judged by: the authorities of a fleet of devices, and their
 * lists of revoked certificates. Part of a TLS context of the server (tls_server.h).
 *
 * Each certificate in the file of authorities is an anchor of its own, root or intermediate: what
 * it issued is trusted, whoever issued it. The dates of a device's chain are judged by the system's
 * clock, and a certificate with an extended key usage has to be for TLS clients.
 *
 * Revocation is ours and not the library's, which would hash a whole list anew for each handshake,
 * and before the signature of the device's certificate is verified. Here a list's signature is
 * verified when it is loaded, and looked into only for a device whose chain holds. A list past its
 * date goes on being used: what it names stays refused, and the rest of a fleet is not locked out
 * because a list is a day late.
 */
#ifndef NTSD_CERTS_CLIENT_CA_H
#define NTSD_CERTS_CLIENT_CA_H

#include "certs/fault.h"

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CLIENT_CA_MAX = 8,
    CLIENT_CA_FILE_MAX = 256 * 1024,
    CLIENT_CRL_FILE_MAX = 8 * 1024 * 1024,
    CLIENT_CA_TEXT_MAX = 128,
    CLIENT_CHAIN_MAX = 12 * 1024, /* octets of a client's Certificate message */
    CLIENT_CHAIN_DEPTH = 3,       /* certificates between a client's and its authority's */
};

struct client_ca_files {
    const char *ca;  /* PEM; NULL: clients are not asked for a certificate */
    const char *crl; /* PEM or DER, a list of each authority in `ca`; NULL: none is revoked */
};

/* Zeroed when no certificates are asked for. Part of a board's value: whole words. */
struct client_ca_info {
    uint64_t count;
    struct {
        int64_t not_after;
        char subject[CLIENT_CA_TEXT_MAX]; /* printable ASCII */
    } ca[CLIENT_CA_MAX];
    uint64_t crl_count; /* lists in use */
    uint64_t revoked;   /* certificates on them */
    int64_t crl_until;  /* when the first of them is due to be replaced; INT64_MAX: none says */
};

/* Why a client was refused. Every member but the first is a counter. */
enum client_refusal {
    CLIENT_NOT_REFUSED,
    CLIENT_NO_CERTIFICATE,
    CLIENT_UNKNOWN_CA, /* its certificate comes from none of the authorities */
    CLIENT_EXPIRED,
    CLIENT_NOT_YET_VALID,
    CLIENT_REVOKED,
    CLIENT_NO_CRL,  /* there are lists, but none of its issuer */
    CLIENT_PURPOSE, /* its certificate is not for TLS clients */
    CLIENT_INVALID, /* chain too long, a signature that does not verify, no proof of the key, ... */
    CLIENT_REFUSALS
};

struct client_ca; /* immutable once made; thread-safe */

/*
 * Reads the files. CERT_EMPTY, CERT_MALFORMED, CERT_UNREADABLE; CERT_NOT_CA; CERT_CRL: a list that
 * is no whole one, is not signed by its authority, or is missing for one. Dates are the caller's to
 * look at. On failure nothing is made.
 */
NODISCARD enum nts_err client_ca_load(const struct client_ca_files *files, struct client_ca **ca,
                                      struct client_ca_info *info, struct cert_fault *fault);
void client_ca_free(struct client_ca *ca);

/* From now on connections of `ctx` must come with a certificate. `ca` must outlive them and is kept
 * in the context's app data. False: out of memory. */
bool client_ca_require(struct client_ca *ca, SSL_CTX *ctx);

/* Must the peer of this connection come with a certificate? */
bool client_ca_is_required(const SSL *ssl);

/* Why SSL_do_handshake() failed just now: reads the library's error queue, and leaves it alone. */
enum client_refusal client_ca_refusal(const SSL *ssl);

/* After a handshake: the place in the file of the authority that the client's certificate comes
 * from, from 0. CLIENT_CA_MAX: it was not asked for one. */
size_t client_ca_place(const SSL *ssl);

/* The client's certificate after a handshake, or one that was refused; NULL: none came. Borrowed.
 */
const X509 *client_ca_certificate(const SSL *ssl);

#endif
