/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of revoked certificates (RFC 5280 section 5), of a few authorities that are at hand: read,
 * their signatures verified once, and looked into. Whole lists and those split by distribution
 * point; no deltas, no indirect ones. Immutable once loaded; thread-safe.
 */
#ifndef NTSD_CERTS_CLIENT_CRL_H
#define NTSD_CERTS_CLIENT_CRL_H

#include "certs/client_ca.h"

enum { CLIENT_CRL_MAX = 64 };

/* Zeroed: no revocation is looked at. Owns what it points to. */
struct client_crl {
    size_t count;
    struct {
        X509_CRL *list;
        const X509 *issuer; /* whose key signed it; borrowed from the caller of load */
    } of[CLIENT_CRL_MAX];
};

/*
 * Reads a file of PEM blocks or of one list in DER. Lists of others than the `count` authorities
 * are passed over; each of these must have one. They must outlive `crl`. On failure `crl` is zeroed
 * and `fault` says why.
 */
NODISCARD enum nts_err client_crl_load(const char *path, X509 *const *authority, size_t count,
                                       struct client_crl *crl, struct cert_fault *fault);
void client_crl_wipe(struct client_crl *crl);

/* Fills the members of `info` that are about lists. */
void client_crl_describe(const struct client_crl *crl, struct client_ca_info *info);

enum client_crl_verdict {
    CLIENT_CRL_GOOD,    /* on none of its issuer's lists, or there are no lists at all */
    CLIENT_CRL_REVOKED, /* also when the list is past its date */
    CLIENT_CRL_MISSING, /* there are lists, but none of its issuer */
};

/* `issuer`: whose key has signed `cert`; NULL: nobody's but its own. */
enum client_crl_verdict client_crl_judge(const struct client_crl *crl, X509 *cert,
                                         const X509 *issuer);

#endif
